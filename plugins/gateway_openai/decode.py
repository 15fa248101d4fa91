"""From a request on the wire to the hub's `ChatRequest`. Pure: nothing is read or sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Client, ResponseFormat, Sampling
from gateway_openai.decode_messages import decode_messages
from gateway_openai.decode_tools import check_schema, decode_tool_choice, decode_tools
from gateway_openai.errors import invalid_request
from gateway_openai.fields import asks_for_something, ignored_fields
from gateway_openai.wire import ChatCompletionRequest, JSONSchemaFormat

_OBFUSCATION = "stream_options.include_obfuscation"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCall:
    """A decoded request: what goes to the hub, and what this frontend does itself.

    `choices` is how many answers are wanted; `stop` are the sequences to cut at here;
    `legacy_functions` that calls go back as `function_call`; `ignored` names fields without
    effect, in the client's spelling.
    """

    request: ChatRequest
    choices: int = 1
    stream: bool = False
    include_usage: bool = False
    stop: tuple[str, ...] = ()
    legacy_functions: bool = False
    ignored: tuple[str, ...] = ()


def parse(body: Mapping[str, object]) -> ChatCompletionRequest:
    """Check a body against the wire models. Raises `InvalidRequest`."""
    try:
        return ChatCompletionRequest.model_validate(body)
    except ValidationError as error:
        raise invalid_request(error) from None


def decode(wire: ChatCompletionRequest, client: Client = Client()) -> ChatCall:
    """Translate a request of `client`. Raises `InvalidRequest` with `param` leading to the place."""
    ignored = ignored_fields(dict(wire))
    conversation = decode_messages(wire.messages)
    tools = decode_tools(wire)
    native_stop, emulated_stop = _stop(wire)
    request = ChatRequest(
        model=wire.model,
        system=conversation.system,
        messages=conversation.messages,
        tools=tools,
        tool_choice=decode_tool_choice(wire, tools),
        response_format=_response_format(wire),
        sampling=Sampling(
            max_output_tokens=wire.max_completion_tokens or wire.max_tokens or None,
            temperature=wire.temperature,
            top_p=wire.top_p,
            stop=native_stop,
        ),
        effort=wire.reasoning_effort,
        client=client,
    )
    options = wire.stream_options
    obfuscation = options and asks_for_something(_OBFUSCATION, options.include_obfuscation)
    return ChatCall(
        request=request,
        choices=wire.n or 1,
        stream=bool(wire.stream),
        include_usage=bool(options and options.include_usage),
        stop=emulated_stop,
        legacy_functions=bool(wire.functions),
        ignored=(*ignored, *conversation.ignored, *((_OBFUSCATION,) if obfuscation else ())),
    )


def _stop(wire: ChatCompletionRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Stop sequences for the backend, and those of white space only, which upstream refuses."""
    wanted = (wire.stop,) if isinstance(wire.stop, str) else tuple(wire.stop or ())
    return (
        tuple(sequence for sequence in wanted if sequence.strip()),
        tuple(sequence for sequence in wanted if sequence and not sequence.strip()),
    )


def _response_format(wire: ChatCompletionRequest) -> ResponseFormat:
    wanted = wire.response_format
    if wanted is None or wanted.type == "text":
        return ResponseFormat()
    if wanted.type == "json_object":
        return ResponseFormat(kind="json_object")
    if wanted.json_schema is None:
        param = "response_format.json_schema"
        raise InvalidRequest(f"Missing required parameter: {param!r}.", param=param)
    return _schema_format(wanted.json_schema)


def _schema_format(wanted: JSONSchemaFormat) -> ResponseFormat:
    check_schema(wanted.schema_, "response_format.json_schema.schema")
    schema = wanted.schema_
    if wanted.description:
        # The hub has no place of its own for it, and in the schema the model reads it.
        schema = {"description": wanted.description, **schema}
    return ResponseFormat(
        kind="json_schema", schema=schema, name=wanted.name, strict=bool(wanted.strict)
    )
