"""The request body of `POST /v1/responses`, as it is on the wire.

Shapes and ranges are those of `openai.types.responses.response_create_params` (openai-python 3.54)
and of OpenAI's API reference. Fields without effect are declared too, with their type alone: what
OpenAI refuses is refused here. `fields.rows` has the behaviour of each.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

from pydantic import Discriminator, Field, Tag
from pydantic.json_schema import SkipJsonSchema

from gateway.frontend import Integer, Items, WireModel, string_or_object
from gateway_openai_responses.wire.content import content_tag
from gateway_openai_responses.wire.items import Item
from gateway_openai_responses.wire.tools import Tool, ToolChoice

ENCRYPTED: Final = "reasoning.encrypted_content"
SOURCES: Final = "web_search_call.action.sources"
"""The values of `include` that ask for these."""

Includable: TypeAlias = Literal[
    "reasoning.encrypted_content",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "web_search_call.action.sources",
    "web_search_call.results",
]
"""`openai.types.responses.ResponseIncludable` (openai-python 3.54)."""

T = TypeVar("T")
Refused: TypeAlias = SkipJsonSchema[T]
"""Of a field whose values are rejected by name: it is left out of the OpenAPI document."""

ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Summary: TypeAlias = Literal["auto", "concise", "detailed", "none"]
"""Codex's configuration has "none" as well, and leaves the field out for it."""


class Reasoning(WireModel):
    """How the model thinks, and whether the answer has a summary of it."""

    effort: ReasoningEffort | None = None
    summary: Summary | None = None
    generate_summary: Summary | None = None
    context: str | None = None
    mode: str | None = None


class TextFormat(WireModel):
    """The form of the answer's text; all but the type are for `json_schema`."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    description: str | None = None
    strict: bool | None = None


class TextConfig(WireModel):
    """The answer's text."""

    format: TextFormat | None = None
    verbosity: str | None = None


class StreamOptions(WireModel):
    """Only with `stream: true`."""

    include_obfuscation: bool | None = None


Input: TypeAlias = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[Items[Item], Tag("<items>")],
    Discriminator(
        lambda value: {"<parts>": "<items>"}.get(tag := content_tag(value) or "", tag) or None,
        custom_error_type="input_type",
        custom_error_message="Input should be a string or a list of items",
    ),
]

Conversation: TypeAlias = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[dict[str, Any], Tag("<object>")],
    Discriminator(string_or_object),
]


class ResponseRequest(WireModel):
    """A request for a response."""

    model: str
    input: Input | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    store: bool | None = None
    include: list[Includable] | None = None
    max_output_tokens: Annotated[Integer, Field(ge=0)] | None = None
    max_tool_calls: Annotated[Integer, Field(ge=0)] | None = None
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: TextConfig | None = None
    tools: Items[Tool] | None = None
    tool_choice: ToolChoice | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_logprobs: Annotated[Integer, Field(ge=0, le=20)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    background: Refused[bool] | None = None
    background_options: dict[str, Any] | None = None
    conversation: Refused[Conversation] | None = None
    prompt: Refused[dict[str, Any]] | None = None
    context_management: list[Any] | None = None
    access_programs: dict[str, Any] | None = None
    image: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    user: str | None = None
    client_metadata: dict[str, Any] | None = None
