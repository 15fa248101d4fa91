"""Calls of the client's tools and their results over the real CLI, in all forms that clients use."""

import json
from typing import Any

import pytest

from gateway_claude_code.upstream import (
    Answer,
    TextBlock,
    ToolUseBlock,
    in_order,
    text_answer,
)
from tests.cells import in_turn, on_demand
from tests.e2e.bodies import HI, Choice, asked_again, blocks, chat, function, last_request
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

TOOLS = [function("alpha"), function("beta"), function("gamma")]
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


def called(choice: Choice) -> list[str]:
    return [call["name"] for call in choice.tool_calls]


# -- calls --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "arguments", "stream"),
    in_turn(
        [
            ({}, "{}"),
            ("", "{}"),
            ('{"a": "ü\\n\\u2028", "b": [1, {"c": null}]}', None),
            ('{ "spaced" : 1.50 }', None),
        ],
        [False, True],
        names=["empty", "nothing", "nested", "spaced"],
    ),
)
def test_arguments_are_what_the_model_wrote(
    gateway: RunningGateway, stream: bool, written: Any, arguments: str | None
) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(ToolUseBlock("mcp__t__alpha", written),), piece_chars=5
    )
    (call,) = chat(gateway, stream=stream, tools=TOOLS).choice.tool_calls
    assert call["arguments"] == (written if arguments is None else arguments)
    assert call["id"].isalnum()


def test_text_before_calls_is_streamed_before_them(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(
            TextBlock("Let me see.", pieces=("Let me", " see.")),
            ToolUseBlock("mcp__t__alpha", {"x": 1}),
            ToolUseBlock("mcp__t__beta"),
        )
    )
    choice = chat(gateway, stream=True, tools=TOOLS).choice
    assert (choice.content, called(choice)) == ("Let me see.", ["alpha", "beta"])
    assert choice.order[:2] == ["content", "content"]
    assert set(choice.order[2:]) == {"tool_calls"}


@pytest.mark.parametrize("stream", [on_demand(False), True])
def test_rounds_of_parallel_calls_with_results_in_another_order(
    gateway: RunningGateway, stream: bool
) -> None:
    rounds = 3
    gateway.upstream.script = in_order(
        *(
            Answer(
                blocks=(
                    TextBlock(f"Round {number}."),
                    ToolUseBlock("mcp__t__alpha", {"n": number}),
                    ToolUseBlock("mcp__t__beta", {"n": number}),
                )
            )
            for number in range(rounds)
        ),
        text_answer("Done."),
    )
    messages: list[dict[str, Any]] = [*HI]
    ids: list[list[str]] = []
    for _ in range(rounds):
        choice = chat(gateway, stream=stream, messages=messages, tools=TOOLS).choice
        ids.append([call["id"] for call in choice.tool_calls])
        results = {key: f"result of {key}" for key in reversed(ids[-1])}
        messages += asked_again(choice, results)
    choice = chat(gateway, stream=stream, messages=messages, tools=TOOLS).choice
    assert (choice.content, choice.finish_reason) == ("Done.", "stop")

    expected: list[tuple[str, object]] = [("user", [{"type": "text", "text": "Hi"}])]
    for number, pair in enumerate(ids):
        names = ("mcp__t__alpha", "mcp__t__beta")
        calls = [
            {"type": "tool_use", "id": own(key), "name": name, "input": {"n": number}}
            for key, name in zip(pair, names, strict=True)
        ]
        expected.append(("assistant", [{"type": "text", "text": f"Round {number}."}, *calls]))
        expected.append(("user", [(own(key), f"result of {key}") for key in pair]))
    seen = [(turn["role"], blocks(turn)) for turn in last_request(gateway).turns]
    assert [(role, [short(block) for block in found]) for role, found in seen] == expected


def own(call_id: str) -> str:
    """The upstream's own form of an id, which the client gets in letters and digits alone."""
    return call_id.replace("toolu", "toolu_", 1)


def short(block: dict[str, Any]) -> object:
    """A result as its id and its text, any other block as it is."""
    if block["type"] != "tool_result":
        return block
    (text,) = blocks(block)
    return block["tool_use_id"], text["text"]


def test_a_result_may_be_parts_with_images(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(
        Answer(blocks=(ToolUseBlock("mcp__t__alpha"),)), text_answer("I see.")
    )
    choice = chat(gateway, tools=TOOLS).choice
    parts = [
        {"type": "text", "text": "before"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "text", "text": "after"},
    ]
    again = asked_again(choice, {choice.tool_calls[0]["id"]: parts})
    assert chat(gateway, messages=[*HI, *again], tools=TOOLS).choice.content == "I see."
    (result,) = last_request(gateway).last_tool_results
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    shown = [block for block in blocks(result) if PNG not in str(block.get("text"))]
    assert shown[0] == {"type": "text", "text": "before"}
    assert {"type": "image", "source": source} in shown
    assert shown[-1] == {"type": "text", "text": "after"}


@pytest.mark.parametrize("content", ["", None, on_demand([])], ids=["empty", "null", "no parts"])
def test_a_result_may_be_empty(gateway: RunningGateway, content: object) -> None:
    gateway.upstream.script = in_order(
        Answer(blocks=(ToolUseBlock("mcp__t__alpha"),)), text_answer("Fine.")
    )
    choice = chat(gateway, tools=TOOLS).choice
    call_id = choice.tool_calls[0]["id"]
    again = asked_again(choice, {call_id: content})
    assert chat(gateway, messages=[*HI, *again], tools=TOOLS).choice.content == "Fine."
    (result,) = last_request(gateway).last_tool_results
    assert result["tool_use_id"] == own(call_id)
    assert not result.get("is_error")


@pytest.mark.parametrize("offered", [[], [function("beta")]], ids=["no tools", "other tools"])
def test_calls_of_tools_that_are_not_offered_any_more_stay_calls(
    gateway: RunningGateway, offered: list[dict[str, Any]]
) -> None:
    past = Choice(tool_calls=[{"id": "call1", "name": "alpha", "arguments": '{"x": 1}'}])
    messages = [*HI, *asked_again(past, {"call1": "one"}), {"role": "user", "content": "And?"}]
    assert chat(gateway, messages=messages, tools=offered).choice.tool_calls == []
    request = last_request(gateway)
    _, assistant, user = map(blocks, request.turns)
    call = {"type": "tool_use", "id": "call1", "name": "mcp__t__alpha", "input": {"x": 1}}
    assert assistant == [call]
    assert user[0]["type"] == "tool_result"
    assert user[1] == {"type": "text", "text": "And?"}
    if not offered:
        assert request.tool_choice == {"type": "none"}


# -- functions, the older form ------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, on_demand(True)])
def test_functions_both_ways(gateway: RunningGateway, stream: bool) -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    functions = [function("alpha", schema)["function"], function("beta")["function"]]
    gateway.upstream.script = in_order(
        Answer(blocks=(TextBlock("Well."), ToolUseBlock("mcp__t__alpha", {"x": 12345678901}))),
        text_answer("Done."),
    )
    choice = chat(gateway, stream=stream, functions=functions).choice
    assert choice.function_call == {"name": "alpha", "arguments": '{"x": 12345678901}'}
    assert (choice.finish_reason, choice.tool_calls) == ("function_call", [])
    assert choice.content == "Well."
    body = last_request(gateway).body
    assert body["tools"][0]["input_schema"] == schema
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}

    messages = [
        *HI,
        {"role": "assistant", "content": None, "function_call": choice.function_call},
        {"role": "function", "name": "alpha", "content": "one"},
    ]
    final = chat(gateway, stream=stream, messages=messages, functions=functions).choice
    assert (final.content, final.finish_reason) == ("Done.", "stop")
    _, (call,), (result,) = map(blocks, last_request(gateway).turns)
    assert (call["name"], call["input"]) == ("mcp__t__alpha", {"x": 12345678901})
    assert short(result) == (own(call["id"]), "one")


@pytest.mark.parametrize(
    ("function_call", "expected"), [("none", None), ({"name": "beta"}, "beta"), ("auto", None)]
)
def test_a_function_call_choice(
    gateway: RunningGateway, function_call: object, expected: str | None
) -> None:
    functions = [tool["function"] for tool in TOOLS]
    choice = chat(gateway, functions=functions, function_call=function_call).choice
    assert (choice.function_call or {}).get("name") == expected


# -- with a schema for the answer ---------------------------------------------------------

DEGREES = {
    "type": "object",
    "properties": {"degrees": {"type": "integer"}},
    "required": ["degrees"],
    "additionalProperties": False,
}
FREE_FORM = {**DEGREES, "additionalProperties": {"type": "string"}}


@pytest.mark.parametrize(
    ("schema", "answer", "output_tools", "stream"),
    in_turn(
        [
            (DEGREES, TextBlock('{"degrees": 21}'), []),
            (FREE_FORM, ToolUseBlock("StructuredOutput", {"degrees": 21}), ["StructuredOutput"]),
        ],
        [False, True],
        names=["native", "by the CLI's tool"],
    ),
)
def test_tools_first_and_a_structured_answer_after(
    gateway: RunningGateway,
    stream: bool,
    schema: dict[str, Any],
    answer: TextBlock | ToolUseBlock,
    output_tools: list[str],
) -> None:
    json_schema = {"name": "weather", "schema": schema}
    fields = {
        "tools": TOOLS,
        "response_format": {"type": "json_schema", "json_schema": json_schema},
    }
    gateway.upstream.script = in_order(
        Answer(blocks=(ToolUseBlock("mcp__t__alpha", {"city": "Bern"}),)),
        Answer(blocks=(answer,)),
    )
    first = chat(gateway, stream=stream, **fields).choice
    assert (called(first), first.content, first.finish_reason) == (["alpha"], "", "tool_calls")
    again = asked_again(first, {first.tool_calls[0]["id"]: "21 degrees"})
    second = chat(gateway, stream=stream, messages=[*HI, *again], **fields).choice
    assert json.loads(second.content) == {"degrees": 21}
    assert (second.tool_calls, second.finish_reason) == ([], "stop")
    mine = ["mcp__t__alpha", "mcp__t__beta", "mcp__t__gamma"]
    for request in gateway.upstream.requests:
        assert [tool["name"] for tool in request.tools] == [*mine, *output_tools]
        assert request.tool_choice.get("type", "auto") == "auto"
        output_format = request.body["output_config"].get("format")
        by_tool = request.tools[-1]["input_schema"] if output_tools else None
        asked_for = by_tool or output_format["schema"]
        assert asked_for == schema
        assert (output_format is None) is bool(output_tools)
