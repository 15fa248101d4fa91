"""Answers by a schema that takes the CLI's tool, unforced: from the client to the real CLI.

A free-form map, recursion, or any JSON at all are not in the API's own structured output.
"""

import json
from typing import Any

import httpx
import openai
import pytest

from gateway_claude_code.upstream import (
    Answer,
    Gate,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    in_order,
    text_answer,
)
from tests.cells import on_demand
from tests.e2e.bodies import HI, function
from tests.e2e.gateways import RunningGateway
from tests.e2e.structured.structured_support import (
    DRAFT_7,
    DRAFT_2020,
    FREE_FORM,
    MODEL,
    asked,
    form,
    only_request,
    streamed,
)

pytestmark = pytest.mark.e2e

LOOK = function("look", {"type": "object", "properties": {}})
LIST_OF_ANYTHING = {"type": "array", "minItems": 1}


def output(value: dict[str, Any] | str, **fields: Any) -> Answer:
    return Answer(blocks=(ToolUseBlock("StructuredOutput", value),), **fields)


def offered(gateway: RunningGateway) -> dict[str, Any]:
    """The schema of the tool for structured output that the model was offered, free to call it."""
    request = only_request(gateway)
    assert request.tool_choice.get("type", "auto") == "auto"
    assert request.body["thinking"]["type"] != "disabled"
    assert "format" not in request.body.get("output_config", {})
    (tool,) = request.tools
    assert tool["name"] == "StructuredOutput"
    schema: dict[str, Any] = tool["input_schema"]
    return schema


# -- schemas ------------------------------------------------------------------------------

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


@pytest.mark.parametrize(
    ("schema", "value", "properties"),
    [
        (ZOD_4, {"n": 3, "email": "a@bc.test", "map": {"x": 1}}, ["n", "email", "map"]),
        (ZOD_3, {"pair": ["a", 1.5], "kids": [{"kids": []}]}, ["pair", "kids"]),
        (FREE_FORM, {"a": 1, "b": "more"}, ["a"]),
        ({}, {"any": "thing"}, []),
    ],
    ids=["Zod 4", "Zod 3", "free-form", "empty"],
)
def test_an_object_of_the_schema(
    gateway: RunningGateway, schema: dict[str, Any], value: dict[str, Any], properties: list[str]
) -> None:
    choice = asked(gateway, output(value), response_format=form(schema))
    assert json.loads(choice.message.content) == value
    assert (choice.finish_reason, choice.message.tool_calls) == ("stop", None)
    assert list(offered(gateway).get("properties", {})) == properties


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
    [on_demand(UNION, {"k": "b", "next": {"k": "a"}}), (LIST_OF_ANYTHING, [1, "]", {"}": None}])],
    ids=["union", "array"],
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
    [
        (FREE_FORM, '{"a"', '{"a": 123}'),
        on_demand(LIST_OF_ANYTHING, "[1, ", '{"value":[1, 2, 3]}'),
    ],
    ids=["object", "wrapped"],
)
def test_the_output_streams_from_its_first_token(
    gateway: RunningGateway, schema: dict[str, Any], first: str, value: str
) -> None:
    gate = Gate()  # after start, opening, the empty delta and the first pieces
    length = value.index(first) + len(first)
    gateway.upstream.script = in_order(output(value, piece_chars=length, gates={4: gate}))
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


def test_a_schema_that_the_cli_does_not_take_is_said(gateway: RunningGateway) -> None:
    endless = {"$ref": "#"}
    with pytest.raises(
        openai.BadRequestError, match="does not accept the answer's schema"
    ) as caught:
        asked(gateway, output({}), response_format=form(endless))
    assert caught.value.param == "response_format"


# -- answers that are not as asked --------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "response_format", "said"),
    [
        (output({"b": "x"}), form(FREE_FORM), '"a" is a required property'),
        on_demand(output({"value": []}), form(LIST_OF_ANYTHING), "\\[\\]"),
        (text_answer("prose"), form(FREE_FORM), "it is prose"),
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
    gateway.upstream.script = in_order(output({"b": "x"}))
    body = {"model": MODEL, "messages": HI, "stream": True, "response_format": form(FREE_FORM)}
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=60)
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert json.loads(events[-1])["error"]["code"] == "invalid_model_output"
    assert "[DONE]" not in events
    assert '"finish_reason":"stop"' not in answer.text


def test_prose_instead_of_the_output_is_asked_for_again(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(text_answer("prose"), output({"a": 1}))
    answer = gateway.client.chat.completions.create(
        model=MODEL, messages=HI, response_format=form(FREE_FORM)
    )
    assert answer.choices[0].message.content == '{"a": 1}'
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2 * Answer().usage.output_tokens
    first, second = gateway.upstream.requests
    assert first.tool_choice == second.tool_choice == {"type": "auto"}


@pytest.mark.parametrize(
    "reply",
    [
        Answer(blocks=(TextBlock("Here: "), ToolUseBlock("StructuredOutput", {"a": 1}))),
        text_answer('```json\n{"a": 1}\n```'),
    ],
    ids=["beside the output", "fenced JSON"],
)
def test_prose_does_not_spoil_the_json(gateway: RunningGateway, reply: Answer) -> None:
    assert asked(gateway, reply, response_format=form(FREE_FORM)).message.content == '{"a": 1}'


@pytest.mark.parametrize("stop_reason", ["max_tokens", on_demand("refusal")])
def test_a_cut_answer_is_passed_on(gateway: RunningGateway, stop_reason: str) -> None:
    finish = {"max_tokens": "length", "refusal": "content_filter"}[stop_reason]
    reply = output('{"a', stop_reason=stop_reason)
    choice = asked(gateway, reply, response_format=form(FREE_FORM))
    assert (choice.finish_reason, choice.message.content) == (finish, '{"a')


# -- a schema beside other parameters -----------------------------------------------------


def test_tools_first_and_the_structured_answer_after_their_result(
    gateway: RunningGateway,
) -> None:
    both = {"tools": [LOOK], "response_format": form(FREE_FORM)}
    called = asked(gateway, Answer(blocks=(ToolUseBlock("mcp__t__look", {}),)), **both)
    (call,) = called.message.tool_calls
    assert (called.finish_reason, call.function.name) == ("tool_calls", "look")
    names = sorted(tool["name"] for tool in only_request(gateway).tools)
    assert names == ["StructuredOutput", "mcp__t__look"]
    messages = [
        *HI,
        {"role": "assistant", "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": "7"},
    ]
    final = asked(gateway, output({"a": 7}), **both, messages=messages)
    assert (final.finish_reason, final.message.content) == ("stop", '{"a": 7}')
    assert final.message.tool_calls is None


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
        response_format=form(FREE_FORM),
    )
    assert choice.finish_reason == "tool_calls"
    request = only_request(gateway)
    assert [tool["name"] for tool in request.tools] == ["mcp__t__look"]
    assert request.tool_choice.get("type", "auto") == tool_choice


def test_an_effort_with_a_schema_keeps_thinking(gateway: RunningGateway) -> None:
    blocks = (ThinkingBlock("hmm"), ToolUseBlock("StructuredOutput", {"a": 1}))
    choice = asked(
        gateway, Answer(blocks=blocks), reasoning_effort="high", response_format=form(FREE_FORM)
    )
    assert choice.message.content == '{"a": 1}'
    assert choice.message.model_extra["reasoning_content"] == "hmm"
    assert offered(gateway)["required"] == ["a"]
    assert only_request(gateway).body["output_config"]["effort"] == "high"
