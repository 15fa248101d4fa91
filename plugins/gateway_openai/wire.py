"""The request body of `POST /v1/chat/completions`, as it is on the wire.

Shapes and ranges are those of `openai.types.chat.completion_create_params` (openai-python
3.54) and of OpenAI's API reference. Only fields that have an effect or a range are declared;
`fields.FIELDS` says what becomes of each, declared or not.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag

from gateway_openai.wire_messages import Message, WireModel, string_or_object


def _integral(value: object) -> object:
    """JSON has one kind of number: 1024.0 is an integer, and some clients write it so."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


Integer: TypeAlias = Annotated[int, BeforeValidator(_integral)]
Penalty: TypeAlias = Annotated[float, Field(ge=-2, le=2)]


class StreamOptions(WireModel):
    """Only with `stream: true`; without it they have no effect."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


# -- tools --------------------------------------------------------------------------------


class FunctionDefinition(WireModel):
    """A function that the client offers. `parameters` is a JSON Schema of an object."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(WireModel):
    """A tool; `function` is there for `type: function`, the only type that is honoured."""

    type: str = "function"
    function: FunctionDefinition | None = None


class FunctionName(WireModel):
    """Names one of the tools."""

    name: str


class ToolReference(WireModel):
    """Names one of the tools within `allowed_tools`."""

    type: str = "function"
    function: FunctionName


class AllowedTools(WireModel):
    """A choice among some of the tools."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[ToolReference], Field(min_length=1)]


class ToolChoiceObject(WireModel):
    """`{"type": "function", "function": …}` or `{"type": "allowed_tools", "allowed_tools": …}`."""

    type: str
    function: FunctionName | None = None
    allowed_tools: AllowedTools | None = None


ToolChoice: TypeAlias = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<string>")]
    | Annotated[ToolChoiceObject, Tag("<object>")],
    Discriminator(
        string_or_object,
        custom_error_type="tool_choice_type",
        custom_error_message="Input should be 'none', 'auto', 'required' or an object",
    ),
]

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


def _stop_tag(value: object) -> str | None:
    if isinstance(value, str):
        return "<string>"
    return "<strings>" if isinstance(value, list) else None


Stop: TypeAlias = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[list[str], Field(max_length=4), Tag("<strings>")],
    Discriminator(
        _stop_tag,
        custom_error_type="stop_type",
        custom_error_message="Input should be a string or a list of up to 4 strings",
    ),
]


class ChatCompletionRequest(WireModel):
    """A request for one chat completion, or `n` of them."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: Annotated[Integer, Field(ge=0)] | None = None
    max_tokens: Annotated[Integer, Field(ge=0)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    n: Annotated[Integer, Field(ge=1, le=128)] | None = None
    stop: Stop | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    functions: list[FunctionDefinition] | None = None
    function_call: FunctionCallChoice | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = (
        None
    )
    modalities: list[str] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[Integer, Field(ge=0, le=20)] | None = None
