"""Answers by a schema that fits the API's own structured output: from the client to the real CLI."""

import json
from typing import Any

import httpx
import openai
import pytest

from gateway_claude_code.upstream import (
    Answer,
    Failure,
    Gate,
    MessagesRequest,
    Reply,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    in_order,
    text_answer,
)
from tests.cells import on_demand
from tests.claude_code.request.answer_schemas.schema_support import subset_problems
from tests.e2e.bodies import HI, function
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway
from tests.e2e.structured.structured_support import (
    DRAFT_2020,
    INTEGER,
    MODEL,
    OBJECT,
    asked,
    form,
    only_request,
    streamed,
)

pytestmark = pytest.mark.e2e

LOOK = function("look", {"type": "object", "properties": {}})


def output(value: Any, **fields: Any) -> Answer:
    """The answer's text: `value` in JSON, or as it is if it is a text."""
    text = value if isinstance(value, str) else json.dumps(value)
    return Answer(blocks=(TextBlock(text),), **fields)


def sent_format(request: MessagesRequest) -> dict[str, Any]:
    """The schema that the upstream was given, with nothing else that asks for it."""
    assert request.tool_choice.get("type", "auto") == "auto"
    assert request.body["thinking"]["type"] != "disabled"
    assert "StructuredOutput" not in [tool["name"] for tool in request.tools]
    output_format = request.body["output_config"]["format"]
    assert output_format["type"] == "json_schema"
    schema: dict[str, Any] = output_format["schema"]
    assert subset_problems(schema) == []
    return schema


# -- schemas ------------------------------------------------------------------------------

PYDANTIC = {
    "$defs": {
        "Kind": {"enum": ["a", "b"], "title": "Kind", "type": "string"},
        "Cat": {
            "properties": {"kind": {"const": "cat", "title": "Kind", "type": "string"}},
            "required": ["kind"],
            "title": "Cat",
            "type": "object",
        },
        "Dog": {
            "properties": {
                "kind": {"const": "dog", "type": "string"},
                "name": {"pattern": "^\\w+$", "type": "string"},
            },
            "required": ["kind", "name"],
            "type": "object",
        },
    },
    "additionalProperties": False,
    "properties": {
        "kind": {"$ref": "#/$defs/Kind"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "pet": {
            "discriminator": {
                "mapping": {"cat": "#/$defs/Cat", "dog": "#/$defs/Dog"},
                "propertyName": "kind",
            },
            "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
        },
        "pair": {
            "maxItems": 2,
            "minItems": 2,
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "type": "array",
        },
        "at": {"format": "date-time", "type": "string"},
        "secret": {"format": "password", "type": "string", "writeOnly": True},
    },
    "required": ["kind", "pet", "pair"],
    "title": "Answer",
    "type": "object",
}
PET = {"kind": "dog", "name": "Rex"}
OF_PYDANTIC = {
    "kind": "a",
    "note": None,
    "pet": PET,
    "pair": [1, "x"],
    "at": "2026-01-01T00:00:00Z",
}
LANGCHAIN = {
    "title": "Joke",
    "description": "Joke to tell user.",
    "type": "object",
    "properties": {"setup": {"type": "string"}, "rating": {"type": "integer", "default": None}},
    "required": ["setup"],
    "strict": True,
}
INSTRUCTOR = {
    "type": "object",
    "title": "IterableUser",
    "$defs": {"User": {"type": "object", "properties": {"name": {"type": "string"}}}},
    "properties": {"tasks": {"type": "array", "items": {"$ref": "#/$defs/User"}}},
    "required": ["tasks"],
}
OPENAPI = {
    "type": "object",
    "properties": {"a": {"type": "string", "nullable": True, "example": "x"}},
    "required": ["a"],
}
PATTERNS = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^{.*}$"}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (PYDANTIC, OF_PYDANTIC),
        on_demand(LANGCHAIN, {"setup": "Why?", "rating": 3}),
        on_demand(INSTRUCTOR, {"tasks": [{"name": "Ann"}, {"name": "Bob"}]}),
        (OPENAPI, {"a": None}),
        (PATTERNS, {"a": "{}"}),
    ],
    ids=["Pydantic", "LangChain", "instructor", "OpenAPI", "pattern"],
)
def test_an_object_of_the_schema(
    gateway: RunningGateway, schema: dict[str, Any], value: dict[str, Any]
) -> None:
    choice = asked(gateway, output(value), response_format=form(schema))
    assert json.loads(choice.message.content) == value
    assert (choice.finish_reason, choice.message.tool_calls) == ("stop", None)
    request = only_request(gateway)
    assert request.tools == []
    # in this order, which is the answer's
    assert list(sent_format(request)["properties"]) == list(schema["properties"])
    pieces = streamed(gateway, output(value, piece_chars=3), response_format=form(schema))
    assert json.loads("".join(pieces)) == value
    assert len(pieces) > 1


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        on_demand({"anyOf": [INTEGER, {"type": "string"}]}, 'a "}" b'),
        ({"$schema": DRAFT_2020, "type": "array", "prefixItems": [INTEGER]}, [1]),
        ({"enum": ["red", "green"]}, "green"),
        on_demand({"type": "number"}, 3.5),
        on_demand({"$ref": "#/$defs/B", "$defs": {"B": {"type": "boolean"}}}, True),
    ],
    ids=["anyOf", "array", "enum", "number", "boolean"],
)
def test_what_is_no_object_is_wrapped_for_the_model_alone(
    gateway: RunningGateway, schema: dict[str, Any], value: Any
) -> None:
    text = json.dumps(value)
    reply = output(f'{{ "value" : {text}\n}}', piece_chars=2)
    choice = asked(gateway, reply, response_format=form(schema))
    assert (choice.message.content, choice.finish_reason) == (text, "stop")
    sent = sent_format(only_request(gateway))
    assert (sent["required"], list(sent["properties"])) == (["value"], ["value"])
    pieces = streamed(gateway, reply, response_format=form(schema))
    assert "".join(pieces) == text
    assert len(pieces) >= len(text) / 2


def test_a_property_whose_name_the_api_refuses_comes_back_by_it(gateway: RunningGateway) -> None:
    schema = {"type": "object", "properties": {"größe": INTEGER, "first name": INTEGER}}
    reply = output({"grosse": 1, "first_name": 2}, piece_chars=3)
    pieces = streamed(gateway, reply, response_format=form(schema))
    assert json.loads("".join(pieces)) == {"größe": 1, "first name": 2}
    assert list(sent_format(only_request(gateway))["properties"]) == ["grosse", "first_name"]


@pytest.mark.parametrize(
    ("schema", "first", "value"),
    [
        (OBJECT, '{"a"', '{"a": 123}'),
        ({"type": "array", "items": INTEGER}, "[1, ", '{"value":[1, 2, 3]}'),
    ],
    ids=["object", "wrapped"],
)
def test_the_output_streams_from_its_first_token(
    gateway: RunningGateway, schema: dict[str, Any], first: str, value: str
) -> None:
    gate = Gate()  # after the message's start, the block's start and the first piece
    length = value.index(first) + len(first)
    gateway.upstream.script = in_order(output(value, piece_chars=length, gates={3: gate}))
    stream = gateway.client.chat.completions.create(
        model=MODEL, messages=HI, response_format=form(schema), stream=True
    )
    pieces: list[str] = []
    for chunk in stream:
        if piece := chunk.choices[0].delta.content:
            pieces.append(piece)
            gate.open()
    assert pieces[0] == first
    assert len(pieces) > 1
    sent_format(only_request(gateway))


@pytest.mark.parametrize(
    "schema",
    [{"type": "objekt"}, {"$ref": "#/$defs/gone"}, {"$ref": "https://example.test/s.json"}],
)
def test_a_schema_that_is_not_valid_never_reaches_the_upstream(
    gateway: RunningGateway, schema: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError, match="schema of the answer is not valid") as caught:
        asked(gateway, output({}), response_format=form(schema))
    assert caught.value.param == "response_format"
    assert gateway.upstream.requests == []


def test_a_schema_that_is_too_complex_for_the_api_takes_the_tool_from_then_on(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway()

    def script(request: MessagesRequest) -> Reply:
        if "format" in request.body.get("output_config", {}):
            message = "output_config.format.schema: Schema is too complex for compilation."
            return Failure(400, "invalid_request_error", message)
        return Answer(blocks=(ToolUseBlock("StructuredOutput", {"a": 1}),))

    for native in (True, False):
        gateway.upstream.requests.clear()
        gateway.upstream.script = script
        fields: Any = {"model": MODEL, "messages": HI, "response_format": form(OBJECT)}
        answer = gateway.client.chat.completions.create(**fields)
        assert answer.choices[0].message.content == '{"a": 1}'
        *_, last = requests = gateway.upstream.requests
        assert ("format" in requests[0].body.get("output_config", {})) is native
        assert [tool["name"] for tool in last.tools] == ["StructuredOutput"]
        assert last.tool_choice.get("type", "auto") == "auto"


# -- answers that are not as asked --------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "response_format", "said"),
    [
        (output({"b": 1}), form(OBJECT), '"a" is a required property'),
        (output({"value": ["x"]}), form({"type": "array", "items": INTEGER}), '"x" is not of type'),
        (text_answer("prose"), form(OBJECT), "it is not JSON"),
    ],
    ids=["a miss", "a wrapped miss", "prose"],
)
def test_an_answer_that_is_not_as_asked_is_a_failure(
    gateway: RunningGateway, reply: Answer, response_format: Any, said: str
) -> None:
    with pytest.raises(openai.InternalServerError, match=said) as caught:
        asked(gateway, reply, response_format=response_format)
    assert (caught.value.status_code, caught.value.code) == (502, "invalid_model_output")
    only_request(gateway)


@pytest.mark.parametrize("text", ['{"b": 1}', "prose"])
def test_streamed_it_ends_in_an_error_event(gateway: RunningGateway, text: str) -> None:
    gateway.upstream.script = in_order(text_answer(text))
    body = {"model": MODEL, "messages": HI, "stream": True, "response_format": form(OBJECT)}
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=60)
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert json.loads(events[-1])["error"]["code"] == "invalid_model_output"
    assert "[DONE]" not in events
    assert '"finish_reason":"stop"' not in answer.text


@pytest.mark.parametrize("stop_reason", ["max_tokens", on_demand("refusal")])
def test_a_cut_answer_is_passed_on(gateway: RunningGateway, stop_reason: str) -> None:
    finish = {"max_tokens": "length", "refusal": "content_filter"}[stop_reason]
    choice = asked(gateway, output('{"a', stop_reason=stop_reason), response_format=form(OBJECT))
    assert (choice.finish_reason, choice.message.content) == (finish, '{"a')


# -- a schema beside other parameters -----------------------------------------------------


def test_tools_first_and_the_structured_answer_after_their_result(
    gateway: RunningGateway,
) -> None:
    both = {"tools": [LOOK], "response_format": form(OBJECT)}
    called = asked(gateway, Answer(blocks=(ToolUseBlock("mcp__t__look", {}),)), **both)
    (call,) = called.message.tool_calls
    assert (called.finish_reason, call.function.name) == ("tool_calls", "look")
    first = only_request(gateway)
    messages = [
        *HI,
        {"role": "assistant", "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": "7"},
    ]
    final = asked(gateway, output({"a": 7}), **both, messages=messages)
    assert (final.finish_reason, final.message.content) == ("stop", '{"a": 7}')
    assert final.message.tool_calls is None
    for request in (first, gateway.upstream.requests[-1]):
        assert list(sent_format(request)["properties"]) == ["a"]
        assert [tool["name"] for tool in request.tools] == ["mcp__t__look"]


@pytest.mark.parametrize(
    ("model", "tool_choice"), [("claude-sonnet-4", "auto"), ("claude-haiku-4", "any")]
)
def test_a_required_call_comes_before_the_schema(
    gateway: RunningGateway, model: str, tool_choice: str
) -> None:
    choice = asked(
        gateway,
        Answer(blocks=(ToolUseBlock("mcp__t__look", {}),)),
        model=model,
        tools=[LOOK],
        tool_choice="required",
        response_format=form(OBJECT),
    )
    assert choice.finish_reason == "tool_calls"
    request = only_request(gateway)
    assert [tool["name"] for tool in request.tools] == ["mcp__t__look"]
    assert request.tool_choice.get("type", "auto") == tool_choice
    assert "format" not in request.body.get("output_config", {})


def test_an_effort_with_a_schema_keeps_thinking(gateway: RunningGateway) -> None:
    blocks = (ThinkingBlock("hmm"), TextBlock('{"a": 1}'))
    choice = asked(
        gateway, Answer(blocks=blocks), reasoning_effort="high", response_format=form(OBJECT)
    )
    assert choice.message.content == '{"a": 1}'
    assert choice.message.model_extra["reasoning_content"] == "hmm"
    request = only_request(gateway)
    assert list(sent_format(request)["properties"]) == ["a"]
    assert request.body["output_config"]["effort"] == "high"
