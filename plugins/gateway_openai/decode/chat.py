"""From a request on the wire to the hub's `ChatRequest`. Pure: nothing is read or sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import InvalidRequest
from gateway.frontend import check_schema, checked
from gateway.types import ChatRequest, Client, ResponseFormat
from gateway_openai.decode.call import OpenAICall, decode_sampling, emulated_stop, wants_usage
from gateway_openai.decode.messages import decode_messages
from gateway_openai.decode.reasoning import decode_reasoning
from gateway_openai.decode.tools import decode_tool_choice, decode_tools
from gateway_openai.decode.web_search import decode_web_search
from gateway_openai.fields.rows import CHAT
from gateway_openai.wire.chat import ChatCompletionRequest, JSONSchemaFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCall(OpenAICall):
    """`legacy_functions` means that calls go back as `function_call`; without `shows_reasoning`
    the model's reasoning does not go back.
    """

    legacy_functions: bool = False
    shows_reasoning: bool = True

    @property
    def request(self) -> ChatRequest:
        """The one that all choices are an answer to."""
        return self.requests[0]


def parse(body: Mapping[str, object]) -> ChatCompletionRequest:
    """Check a body against the wire models. Raises `InvalidRequest`."""
    return checked(ChatCompletionRequest, body)


def decode(wire: ChatCompletionRequest, client: Client = Client()) -> ChatCall:
    """Translate a request of `client`. Raises `InvalidRequest` with `param` leading to the place."""
    ignored = CHAT.ignored(wire)
    conversation = decode_messages(wire.messages)
    tools = decode_tools(wire)
    reasoning = decode_reasoning(wire)
    request = ChatRequest(
        model=wire.model,
        system=conversation.system,
        messages=conversation.messages,
        tools=tools,
        tool_choice=decode_tool_choice(wire, tools),
        web_search=decode_web_search(wire),
        response_format=_response_format(wire),
        sampling=decode_sampling(wire, wire.max_completion_tokens or wire.max_tokens),
        effort=reasoning.effort,
        thinking=reasoning.thinking,
        client=client,
    )
    return ChatCall(
        requests=(request,) * (wire.n or 1),
        stream=bool(wire.stream),
        include_usage=wants_usage(wire),
        stop=emulated_stop(wire),
        legacy_functions=bool(wire.functions),
        ignored=ignored,
        adjusted=reasoning.adjusted,
        shows_reasoning=reasoning.shown,
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
