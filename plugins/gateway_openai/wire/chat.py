"""The request body of `POST /v1/chat/completions`, as it is on the wire.

Shapes and ranges are those of `openai.types.chat.completion_create_params` (openai-python
3.54) and of OpenAI's API reference. Fields without effect are declared too, with their type
alone: what OpenAI refuses is refused here. `field_rows` says what becomes of each.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from gateway.frontend import Integer, Items, WireModel, string_or_object
from gateway_openai.wire.base import GenerationRequest
from gateway_openai.wire.messages import Message

# -- tools --------------------------------------------------------------------------------


class FunctionDefinition(WireModel):
    """A function that the client offers. `parameters` is a JSON Schema of an object."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(WireModel):
    """A tool; `function` is there for `type: function`, the only type that is honoured.

    The other fields are for tools that have no `function` around them: as the Responses API has
    them, with `parameters`, and as Anthropic's Messages API has them, with `input_schema` and
    without a type or of the type `custom`. Cursor sends both kinds on this route.
    """

    type: str | None = None
    function: FunctionDefinition | None = None
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionName(WireModel):
    """Names one of the tools."""

    name: str


class ToolReference(WireModel):
    """Names one of the tools within `allowed_tools`: by `function`, or by `name` alone."""

    type: str = "function"
    function: FunctionName | None = None
    name: str | None = None


class AllowedTools(WireModel):
    """A choice among some of the tools."""

    mode: Literal["auto", "required"]
    tools: Annotated[Items[ToolReference], Field(min_length=1)]


class ToolChoiceObject(WireModel):
    """`{"type": "function", "function": …}` or `{"type": "allowed_tools", "allowed_tools": …}`.

    The Responses API has `name`, and `mode` and `tools`, without the object around them. The types
    `auto`, `any`, `none` and `tool` are those of Anthropic's Messages API.
    """

    type: str
    function: FunctionName | None = None
    allowed_tools: AllowedTools | None = None
    name: str | None = None
    mode: Literal["auto", "required"] | None = None
    tools: Annotated[list[ToolReference], Field(min_length=1)] | None = None
    disable_parallel_tool_use: bool | None = None


ToolChoice: TypeAlias = Annotated[
    Annotated[Literal["none", "auto", "required", "any"], Tag("<string>")]
    | Annotated[ToolChoiceObject, Tag("<object>")],
    Discriminator(
        string_or_object,
        custom_error_type="tool_choice_type",
        custom_error_message="Input should be 'none', 'auto', 'required' or an object",
    ),
]
"""Mistral's API and others say "any" for OpenAI's "required"."""

FunctionCallChoice: TypeAlias = Annotated[
    Annotated[Literal["none", "auto"], Tag("<string>")] | Annotated[FunctionName, Tag("<object>")],
    Discriminator(
        string_or_object,
        custom_error_type="function_call_type",
        custom_error_message="Input should be 'none', 'auto' or an object with a `name`",
    ),
]


# -- the form of the answer ---------------------------------------------------------------


class JSONSchemaFormat(WireModel):
    """A schema that the answer's text must meet."""

    name: str
    schema_: dict[str, Any] = Field(alias="schema")
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(WireModel):
    """The form of the answer's text; `json_schema` goes with the type of that name."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JSONSchemaFormat | None = None


ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Reasoning(WireModel):
    """Reasoning as OpenRouter has it. `exclude` leaves it out of the answer."""

    effort: ReasoningEffort | None = None
    max_tokens: Annotated[Integer, Field(ge=0)] | None = None
    enabled: bool | None = None
    exclude: bool | None = None


class Thinking(WireModel):
    """Reasoning as Anthropic has it, which LiteLLM and others pass on; "disabled" is none."""

    type: str | None = None
    budget_tokens: Annotated[Integer, Field(ge=0)] | None = None


class ApproximateLocation(WireModel):
    """About where the user is."""

    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class UserLocation(WireModel):
    """The only type is `approximate`."""

    type: Literal["approximate"] = "approximate"
    approximate: ApproximateLocation | None = None


class WebSearchOptions(WireModel):
    """The model may search the web."""

    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: UserLocation | None = None


class ChatCompletionRequest(GenerationRequest):
    """A request for one chat completion, or `n` of them."""

    messages: Annotated[Items[Message], Field(min_length=1)]
    max_completion_tokens: Annotated[Integer, Field(ge=0)] | None = None
    tools: Items[Tool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    functions: Items[FunctionDefinition] | None = None
    function_call: FunctionCallChoice | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None
    reasoning: Reasoning | None = None
    thinking: Thinking | None = None
    modalities: Items[str] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[Integer, Field(ge=0, le=20)] | None = None
    audio: dict[str, Any] | None = None
    prediction: dict[str, Any] | None = None
    verbosity: str | None = None
    web_search_options: WebSearchOptions | None = None
    moderation: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
