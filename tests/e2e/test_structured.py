"""Answers in JSON, and sampling that a model does not take: from the client to the real CLI."""

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
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

MESSAGES: Any = [{"role": "user", "content": "Hi"}]
MODEL = "claude-sonnet-4"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
INTEGER = {"type": "integer"}
OBJECT = {"type": "object", "properties": {"a": INTEGER}, "required": ["a"]}
LOOK: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def form(schema: dict[str, Any]) -> Any:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}


JSON_OBJECT: Any = {"type": "json_object"}


def output(value: dict[str, Any] | str, **fields: Any) -> Answer:
    return Answer(blocks=(ToolUseBlock("StructuredOutput", value),), **fields)


def asked(gateway: RunningGateway, reply: Reply, **fields: Any) -> Any:
    """The one choice of the answer when the upstream says `reply` again and again."""
    gateway.upstream.script = in_order(reply)
    fields = {"model": MODEL, "messages": MESSAGES, **fields}
    (choice,) = gateway.client.chat.completions.create(**fields).choices
    return choice


def streamed(gateway: RunningGateway, reply: Reply, **fields: Any) -> list[str]:
    """The pieces of the answer's text."""
    gateway.upstream.script = in_order(reply)
    fields = {"model": MODEL, "messages": MESSAGES, **fields}
    chunks = list(gateway.client.chat.completions.create(**fields, stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"
    return [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]


def only_request(gateway: RunningGateway) -> MessagesRequest:
    (request,) = gateway.upstream.requests
    return request


def offered(gateway: RunningGateway) -> dict[str, Any]:
    """The schema of the tool for structured output that the model was offered."""
    (tool,) = only_request(gateway).tools
    assert tool["name"] == "StructuredOutput"
    schema: dict[str, Any] = tool["input_schema"]
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
ZOD_4 = {
    "$schema": DRAFT_2020,
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        "email": {"type": "string", "format": "email", "pattern": "^[^@]+@[a-z]{2,}\\.test$"},
        "map": {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {}},
    },
    "required": ["n", "email"],
    "additionalProperties": False,
}
ZOD_3 = {
    "$schema": DRAFT_7,
    "$ref": "#/definitions/answer",
    "definitions": {
        "answer": {
            "type": "object",
            "properties": {
                "pair": {"type": "array", "items": [{"type": "string"}, {"type": "number"}]},
                "kids": {"type": "array", "items": {"$ref": "#/definitions/answer"}},
            },
            "additionalProperties": False,
        }
    },
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


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (
        schema.get("definitions", {}).get("answer", schema).get("properties", {})
    )
    return found


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (PYDANTIC, OF_PYDANTIC),
        (ZOD_4, {"n": 3, "email": "a@bc.test", "map": {"x": 1}}),
        (ZOD_3, {"pair": ["a", 1.5], "kids": [{"kids": []}]}),
        (LANGCHAIN, {"setup": "Why?", "rating": 3}),
        (INSTRUCTOR, {"tasks": [{"name": "Ann"}, {"name": "Bob"}]}),
        (OPENAPI, {"a": None}),
        (PATTERNS, {"a": "{}"}),
        ({}, {"any": "thing"}),
    ],
    ids=["Pydantic", "Zod 4", "Zod 3", "LangChain", "instructor", "OpenAPI", "pattern", "empty"],
)
def test_an_object_of_the_schema(
    gateway: RunningGateway, schema: dict[str, Any], value: dict[str, Any]
) -> None:
    choice = asked(gateway, output(value), response_format=form(schema))
    assert json.loads(choice.message.content) == value
    assert (choice.finish_reason, choice.message.tool_calls) == ("stop", None)
    assert set(offered(gateway).get("properties", {})) == set(properties(schema))
    assert only_request(gateway).tool_choice == {"type": "tool", "name": "StructuredOutput"}


UNION = {
    "$defs": {
        "A": {"type": "object", "properties": {"k": {"const": "a"}}, "required": ["k"]},
        "B": {
            "type": "object",
            "properties": {"k": {"const": "b"}, "next": {"$ref": "#"}},
            "required": ["k"],
        },
    },
    "discriminator": {"propertyName": "k", "mapping": {"a": "#/$defs/A", "b": "#/$defs/B"}},
    "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (UNION, {"k": "b", "next": {"k": "a"}}),
        ({"anyOf": [INTEGER, {"type": "string"}]}, 'a "}" b'),
        ({"$schema": DRAFT_2020, "type": "array", "prefixItems": [INTEGER]}, [1, "]"]),
        ({"enum": ["red", "green"]}, "green"),
        ({"type": "number"}, 3.5),
        ({"$ref": "#/$defs/B", "$defs": {"B": {"type": "boolean"}}}, True),
    ],
    ids=["union", "anyOf", "array", "enum", "number", "boolean"],
)
def test_what_is_no_object_is_wrapped_for_the_model_alone(
    gateway: RunningGateway, schema: dict[str, Any], value: Any
) -> None:
    text = json.dumps(value)
    reply = output(f'{{ "value" : {text}\n}}', piece_chars=2)
    choice = asked(gateway, reply, response_format=form(schema))
    assert (choice.message.content, choice.finish_reason) == (text, "stop")
    assert offered(gateway)["required"] == ["value"]
    pieces = streamed(gateway, reply, response_format=form(schema))
    assert "".join(pieces) == text
    assert len(pieces) >= len(text) / 2


@pytest.mark.parametrize(
    ("schema", "first", "value"),
    [(OBJECT, '{"a"', '{"a": 123}'), ({"type": "array"}, "[1, ", '{"value":[1, 2, 3]}')],
    ids=["object", "wrapped"],
)
def test_the_output_streams_from_its_first_token(
    gateway: RunningGateway, schema: dict[str, Any], first: str, value: str
) -> None:
    gate = Gate()  # after start, opening, the empty delta and the first pieces
    length = value.index(first) + len(first)
    reply = output(value, piece_chars=length, gates={4: gate})
    gateway.upstream.script = in_order(reply)
    stream = gateway.client.chat.completions.create(
        model=MODEL, messages=MESSAGES, response_format=form(schema), stream=True
    )
    pieces: list[str] = []
    for chunk in stream:
        if piece := chunk.choices[0].delta.content:
            pieces.append(piece)
            gate.open()
    assert pieces[0] == first
    assert len(pieces) > 1


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


def test_a_schema_that_the_cli_does_not_take_is_said(gateway: RunningGateway) -> None:
    endless = {"$ref": "#"}
    with pytest.raises(openai.BadRequestError, match="does not take the schema") as caught:
        asked(gateway, output({}), response_format=form(endless))
    assert caught.value.param == "response_format"


# -- answers that are not as asked --------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "response_format", "said"),
    [
        (output({"b": 1}), form(OBJECT), "'a' is a required property"),
        (output({"value": ["x"]}), form({"type": "array", "items": INTEGER}), "'x' is not of type"),
        (text_answer("prose"), form(OBJECT), "it is prose"),
    ],
    ids=["a miss", "a wrapped miss", "prose"],
)
def test_an_answer_that_is_not_as_asked_is_a_failure(
    gateway: RunningGateway, reply: Answer, response_format: Any, said: str
) -> None:
    with pytest.raises(openai.InternalServerError, match=said) as caught:
        asked(gateway, reply, response_format=response_format)
    assert (caught.value.status_code, caught.value.code) == (502, "invalid_model_output")


def test_streamed_it_ends_in_an_error_event(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(output({"b": 1}))
    body = {
        "model": MODEL,
        "messages": MESSAGES,
        "stream": True,
        "response_format": form(OBJECT),
    }
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=60)
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert json.loads(events[-1])["error"]["code"] == "invalid_model_output"
    assert "[DONE]" not in events
    assert '"finish_reason":"stop"' not in answer.text


def test_prose_instead_of_the_output_is_asked_for_again(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(text_answer("prose"), output({"a": 1}))
    answer = gateway.client.chat.completions.create(
        model=MODEL, messages=MESSAGES, response_format=form(OBJECT)
    )
    assert answer.choices[0].message.content == '{"a": 1}'
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2 * Answer().usage.output_tokens
    assert len(gateway.upstream.requests) == 2


@pytest.mark.parametrize(
    "reply",
    [
        Answer(blocks=(TextBlock("Here: "), ToolUseBlock("StructuredOutput", {"a": 1}))),
        text_answer('```json\n{"a": 1}\n```'),
    ],
    ids=["beside the output", "fenced JSON"],
)
def test_prose_does_not_spoil_the_json(gateway: RunningGateway, reply: Answer) -> None:
    assert asked(gateway, reply, response_format=form(OBJECT)).message.content == '{"a": 1}'


@pytest.mark.parametrize("stop_reason", ["max_tokens", "refusal"])
def test_a_cut_answer_is_passed_on(gateway: RunningGateway, stop_reason: str) -> None:
    finish = {"max_tokens": "length", "refusal": "content_filter"}[stop_reason]
    choice = asked(gateway, output('{"a', stop_reason=stop_reason), response_format=form(OBJECT))
    assert (choice.finish_reason, choice.message.content) == (finish, '{"a')


# -- any JSON object ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "pieces",
    [
        ('{"a":"}x","b":{}}',),
        ("Sure: ```json\n{", '"a":"}x","b":{}}\n`', "`` done"),
        ("With {braces}: {", '"a":"}', 'x","b":{}} and {"c": 1}'),
    ],
    ids=["bare", "fenced", "in prose"],
)
def test_json_object_is_bare_whole_and_streamed(
    gateway: RunningGateway, pieces: tuple[str, ...]
) -> None:
    reply = text_answer(*pieces)
    choice = asked(gateway, reply, response_format=JSON_OBJECT)
    assert choice.message.content == '{"a":"}x","b":{}}'
    assert "".join(streamed(gateway, reply, response_format=JSON_OBJECT)) == '{"a":"}x","b":{}}'


def test_json_object_in_prose_alone_is_given_as_it_is(gateway: RunningGateway) -> None:
    reply = text_answer("I can", "not.")
    choice = asked(gateway, reply, response_format=JSON_OBJECT)
    assert (choice.message.content, choice.finish_reason) == ("I cannot.", "stop")
    assert "".join(streamed(gateway, reply, response_format=JSON_OBJECT)) == "I cannot."


def test_json_object_that_was_cut_is_passed_on(gateway: RunningGateway) -> None:
    reply = Answer(blocks=(TextBlock('{"a": "b'),), stop_reason="max_tokens")
    choice = asked(gateway, reply, response_format=JSON_OBJECT)
    assert (choice.finish_reason, choice.message.content) == ("length", '{"a": "b')


# -- a schema beside other parameters -----------------------------------------------------


def test_tools_first_and_the_structured_answer_after_their_result(
    gateway: RunningGateway,
) -> None:
    both = {"tools": [LOOK], "response_format": form(OBJECT)}
    called = asked(gateway, Answer(blocks=(ToolUseBlock("mcp__t__look", {}),)), **both)
    (call,) = called.message.tool_calls
    assert (called.finish_reason, call.function.name) == ("tool_calls", "look")
    names = sorted(tool["name"] for tool in only_request(gateway).tools)
    assert names == ["StructuredOutput", "mcp__t__look"]
    messages = [
        *MESSAGES,
        {"role": "assistant", "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": "7"},
    ]
    final = asked(gateway, output({"a": 7}), **both, messages=messages)
    assert (final.finish_reason, final.message.content) == ("stop", '{"a": 7}')
    assert final.message.tool_calls is None


def test_a_required_call_comes_before_the_schema(gateway: RunningGateway) -> None:
    choice = asked(
        gateway,
        Answer(blocks=(ToolUseBlock("mcp__t__look", {}),)),
        tools=[LOOK],
        tool_choice="required",
        response_format=form(OBJECT),
    )
    assert choice.finish_reason == "tool_calls"
    request = only_request(gateway)
    assert [tool["name"] for tool in request.tools] == ["mcp__t__look"]
    assert request.tool_choice == {"type": "any"}


def test_an_effort_with_a_schema_keeps_thinking(gateway: RunningGateway) -> None:
    blocks = (ThinkingBlock("hmm"), ToolUseBlock("StructuredOutput", {"a": 1}))
    choice = asked(
        gateway, Answer(blocks=blocks), reasoning_effort="high", response_format=form(OBJECT)
    )
    assert choice.message.content == '{"a": 1}'
    assert choice.message.model_extra["reasoning_content"] == "hmm"
    request = only_request(gateway)
    assert request.body["thinking"]["type"] != "disabled"
    assert request.tool_choice.get("type") != "tool"


# -- sampling -----------------------------------------------------------------------------

LEARNING = "claude-opus-4-20250514"
"""No other test asks for it: the gateway goes on knowing what this one was refused."""


def ignored_and_requests(gateway: RunningGateway, **fields: Any) -> tuple[str | None, list[Any]]:
    """What is said to be ignored, and the temperature and top_p of each upstream request."""
    gateway.upstream.requests.clear()
    raw = gateway.client.chat.completions.with_raw_response.create(
        model=LEARNING, messages=MESSAGES, **fields
    )
    assert raw.parse().choices[0].message.content == "ok"
    bodies = [request.body for request in gateway.upstream.requests]
    sent = [(body.get("temperature"), body.get("top_p")) for body in bodies]
    return raw.headers.get("x-dragoman-ignored"), sent


def test_sampling_that_the_upstream_refuses_is_left_out_from_then_on(
    gateway: RunningGateway,
) -> None:
    def no_temperature(request: MessagesRequest) -> Reply:
        if "temperature" in request.body:
            message = "`temperature` is deprecated for this model."
            return Failure(400, "invalid_request_error", message)
        return text_answer("ok")

    gateway.upstream.script = no_temperature
    ignored, first = ignored_and_requests(gateway, temperature=0, top_p=0.5)
    assert ignored == "temperature"
    assert first[0] == (0, 0.5)
    assert first[-1] == (None, 0.5)
    assert ignored_and_requests(gateway, temperature=0) == ("temperature", [(None, None)])
    assert ignored_and_requests(gateway) == (None, [(None, None)])


def test_what_is_lowered_is_said(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(text_answer("ok"))
    raw = gateway.client.chat.completions.with_raw_response.create(
        model="claude-sonnet-4-5-20250929", messages=MESSAGES, temperature=1.7, max_tokens=10**7
    )
    assert raw.headers["x-dragoman-adjusted"] == "temperature=1,max_tokens=64000"
    body = only_request(gateway).body
    assert (body["temperature"], body["max_tokens"]) == (1, 64_000)


def test_what_is_within_the_limits_is_not_adjusted(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(text_answer("ok"))
    raw = gateway.client.chat.completions.with_raw_response.create(
        model="claude-sonnet-4-5-20250929", messages=MESSAGES, temperature=1, max_tokens=64_000
    )
    assert "x-dragoman-adjusted" not in raw.headers
