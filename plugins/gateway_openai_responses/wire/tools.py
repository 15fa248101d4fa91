"""Tools and the choice among them as they are on the wire.

Shapes are those of `openai.types.responses.ToolParam` and of the `tool_choice` of
`response_create_params` (openai-python 3.54). A tool is one model with the fields of all types, as
its type decides which of them count.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from gateway.frontend import Items, WireModel, string_or_object


class CustomFormat(WireModel):
    """The form of a custom tool's input: `text`, or a `grammar`."""

    type: str
    syntax: str | None = None
    definition: str | None = None


class ShellEnvironment(WireModel):
    """Where a shell runs: `local`, or a container of OpenAI's."""

    type: str


class InnerTool(WireModel):
    """A function or a custom tool."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    format: CustomFormat | None = None
    output_schema: Any = None
    defer_loading: bool | None = None
    allowed_callers: Any = None


class SearchFilters(WireModel):
    """Which pages a search may find; `blocked_domains` is an extension."""

    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None


class UserLocation(WireModel):
    """About where the user is, for `web_search`."""

    type: str | None = None
    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class Tool(InnerTool):
    """A tool of any type. `tools` are those of a namespace; the fields before are of `web_search`."""

    filters: SearchFilters | None = None
    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: UserLocation | None = None
    external_web_access: bool | None = None
    search_content_types: list[str] | None = None

    environment: ShellEnvironment | None = None
    execution: str | None = None
    tools: Items[InnerTool] | None = None


class ToolReference(WireModel):
    """Names one of the tools: by `name`, or a hosted one by its type."""

    type: str
    name: str | None = None
    namespace: str | None = None


class ToolChoiceObject(ToolReference):
    """One tool, or with the type `allowed_tools` a choice among some."""

    mode: Literal["auto", "required"] | None = None
    tools: Annotated[Items[ToolReference], Field(min_length=1)] | None = None


ToolChoice: TypeAlias = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<string>")]
    | Annotated[ToolChoiceObject, Tag("<object>")],
    Discriminator(
        string_or_object,
        custom_error_type="tool_choice_type",
        custom_error_message="Input should be 'none', 'auto', 'required' or an object",
    ),
]
