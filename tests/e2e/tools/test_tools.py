"""The client's tools over the real CLI: choices, names, schemas, and calls that are not as asked."""

import re
from typing import Any

import pytest

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    TextBlock,
    ToolUseBlock,
    in_order,
    offline_script,
    text_answer,
)
from tests.cells import in_turn, on_demand
from tests.e2e.bodies import (
    HI,
    Choice,
    asked_again,
    blocks,
    chat,
    function,
    last_request,
    post,
)
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

TOOLS = [function("alpha"), function("beta"), function("gamma")]
NOTHING = {"type": "object", "properties": {}}


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def allowed(*names: str, mode: str) -> dict[str, Any]:
    tools = [named(name) for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def must_call(tool_choice: object) -> bool:
    return tool_choice in ("required", named("beta")) or "'required'" in str(tool_choice)


def called(choice: Choice) -> list[str]:
    return [call["name"] for call in choice.tool_calls]


# -- choices ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool_choice", "words", "expected", "model"),
    in_turn(
        [
            (None, "Hello", []),
            ("auto", "Hello", []),
            ("auto", "Please call beta", ["beta"]),
            ("auto", "call alpha and call gamma", ["alpha", "gamma"]),
            ("none", "Please call beta", []),
            ("required", "Hello", ["alpha"]),
            ("required", "Please call gamma", ["gamma"]),
            (named("beta"), "Hello", ["beta"]),
            (named("beta"), "Please call alpha", ["beta"]),
            (allowed("beta", mode="auto"), "Hello", []),
            (allowed("beta", "gamma", mode="auto"), "call alpha and call gamma", ["gamma"]),
            (allowed("beta", "gamma", mode="required"), "Please call alpha", ["beta"]),
            (allowed("gamma", mode="required"), "Please call alpha", ["gamma"]),
        ],
        ["claude-sonnet-4", "claude-haiku-4"],
    ),
    ids=str,
)
def test_a_tool_choice_decides_what_is_called(
    gateway: RunningGateway, model: str, tool_choice: object, words: str, expected: list[str]
) -> None:
    messages = [{"role": "user", "content": words}]
    fields = {"model": model, "messages": messages, "tools": TOOLS, "tool_choice": tool_choice}
    reply = chat(gateway, **fields)
    choice = reply.choice
    assert called(choice) == expected
    assert choice.finish_reason == ("tool_calls" if expected else "stop")
    assert bool(choice.content) == (not expected)
    demanded = model == "claude-sonnet-4" and must_call(tool_choice)
    assert ("tool_choice=asked_for" in reply.headers.get("x-dragoman-adjusted", "")) is demanded
    forced = last_request(gateway).tool_choice.get("type") in ("any", "tool")
    assert forced is (must_call(tool_choice) and not demanded)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": TOOLS, "tool_choice": named("delta")}, "tool_choice.function.name"),
        (
            {"tools": TOOLS, "tool_choice": allowed("alpha", "delta", mode="auto")},
            "tool_choice.allowed_tools.tools[1].function.name",
        ),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [function("a b")]}, "tools[0].function.name"),
        ({"tools": [function("x" * 65)]}, "tools[0].function.name"),
        ({"tools": [*TOOLS, function("beta")]}, "tools[3].function.name"),
        ({"tools": [*TOOLS, {"type": "web_search"}]}, "tools[3].type"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_tools_that_make_no_sense_are_refused(
    gateway: RunningGateway, fields: dict[str, Any], param: str
) -> None:
    reply = post(gateway, **fields)
    assert (reply.status, reply.error["param"]) == (400, param)
    assert gateway.upstream.requests == []


# -- names and schemas --------------------------------------------------------------------


def call_all(request: MessagesRequest) -> Answer:
    return Answer(blocks=tuple(ToolUseBlock(tool["name"], {"x": 1}) for tool in request.tools))


@pytest.mark.parametrize("stream", [on_demand(False), True])
def test_names_come_back_as_they_were_given(gateway: RunningGateway, stream: bool) -> None:
    names = ["files.read", "files_read", "files-read", "x" * 64, "mcp__t__alpha", "1.2.3"]
    tools = [function(name) for name in names]
    gateway.upstream.script = call_all
    choice = chat(gateway, stream=stream, tools=tools).choice
    assert sorted(called(choice)) == sorted(names)
    offered = [tool["name"] for tool in last_request(gateway).tools]
    assert len(set(offered)) == len(names)
    assert all(re.fullmatch(r"mcp__t__[a-zA-Z0-9_-]{1,121}", name) for name in offered)

    gateway.upstream.script = offline_script
    results = {call["id"]: call["name"] for call in choice.tool_calls}
    chat(gateway, messages=[*HI, *asked_again(choice, results)], tools=tools)
    history = blocks(last_request(gateway).turns[1])
    assert [block["name"] for block in history if block["type"] == "tool_use"] == offered
    chat(gateway, model="claude-haiku-4", tools=tools, tool_choice=named("files.read"))
    chosen = last_request(gateway).tool_choice["name"]
    assert called(choice)[offered.index(chosen)] == "files.read"
    demanded = chat(gateway, tools=tools, tool_choice=named("files.read")).choice
    assert called(demanded) == ["files.read"]
    assert f"Call the `{chosen}` tool now" in last_request(gateway).last_user_text


RECURSIVE = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "root": {"$ref": "#/$defs/node"},
        "count": {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        "when": {"type": "string", "format": "date-time", "pattern": "^\\d+"},
        "either": {"oneOf": [{"type": "string"}, {"type": "null"}], "default": None},
    },
    "required": ["root"],
    "additionalProperties": False,
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        }
    },
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, NOTHING),
        on_demand({}, NOTHING),
        on_demand(NOTHING, NOTHING),
        (RECURSIVE, RECURSIVE),
        ({"properties": {"x": {}}}, {"type": "object", "properties": {"x": {}}}),
    ],
    ids=["none", "empty", "no properties", "recursive", "no type"],
)
def test_a_schema_arrives_raw(gateway: RunningGateway, given: object, expected: object) -> None:
    chat(gateway, tools=[function("alpha", given, strict=False)])
    (tool,) = last_request(gateway).tools
    assert tool["input_schema"] == expected
    assert tool["description"] == "Runs alpha."


def test_a_hundred_tools(gateway: RunningGateway) -> None:
    tools = [
        function(f"tool_{number}", {"type": "object", "properties": {f"x{number}": {}}})
        for number in range(100)
    ]
    gateway.upstream.script = call_all
    choice = chat(gateway, stream=True, tools=tools).choice
    offered = {
        tool["name"]: (tool["description"], tool["input_schema"])
        for tool in last_request(gateway).tools
    }
    assert offered == {
        f"mcp__t__{tool['function']['name']}": (
            tool["function"]["description"],
            tool["function"]["parameters"],
        )
        for tool in tools
    }
    assert sorted(called(choice)) == sorted(tool["function"]["name"] for tool in tools)
    assert len({call["id"] for call in choice.tool_calls}) == 100


# -- names that the model makes up --------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stream"), in_turn(["mcp__t__nope", "Bash", "alpha"], [False, True])
)
def test_a_tool_that_there_is_not_is_the_models_mistake(
    gateway: RunningGateway, stream: bool, name: str
) -> None:
    gateway.upstream.script = in_order(
        Answer(blocks=(ToolUseBlock(name, {"command": "id"}),)),
        Answer(blocks=(TextBlock("Now right."), ToolUseBlock("mcp__t__beta", {"x": 1}))),
    )
    choice = chat(gateway, stream=stream, tools=TOOLS).choice
    assert (choice.content, called(choice)) == ("Now right.", ["beta"])
    assert choice.finish_reason == "tool_calls"
    _, second = gateway.upstream.requests
    (result,) = second.last_tool_results
    assert result["is_error"] is True
    assert "No such tool available" in str(result["content"])


@pytest.mark.parametrize("stream", [False, True])
def test_of_calls_in_one_answer_only_those_of_tools_that_there_are_reach_the_client(
    gateway: RunningGateway, stream: bool
) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(ToolUseBlock("mcp__t__nope", {"a": 1}), ToolUseBlock("mcp__t__beta", {"b": 2}))
    )
    (call,) = chat(gateway, stream=stream, tools=TOOLS).choice.tool_calls
    assert (call["name"], call["arguments"]) == ("beta", '{"b": 2}')


def test_a_model_that_keeps_calling_what_there_is_not_is_a_failure(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: Answer(blocks=(ToolUseBlock("mcp__t__nope"),))
    reply = post(gateway, tools=TOOLS)
    assert (reply.status, reply.error["code"]) == (502, "backend_error")
    gateway.wait_until_at_rest()
    assert len(gateway.upstream.requests) < 10


# -- a call that can't be forced ----------------------------------------------------------


@pytest.mark.parametrize("stream", [on_demand(False), True])
def test_a_demand_that_is_not_followed_is_made_once_more(
    gateway: RunningGateway, stream: bool
) -> None:
    gateway.upstream.script = in_order(
        text_answer("Let me", " explain."),
        Answer(blocks=(TextBlock("Well."), ToolUseBlock("mcp__t__beta", {"x": 1}))),
    )
    choice = chat(gateway, stream=stream, tools=TOOLS, tool_choice=named("beta")).choice
    assert (choice.content, called(choice), choice.finish_reason) == ("", ["beta"], "tool_calls")
    first, second = gateway.upstream.requests
    assert first.tools == second.tools
    assert first.system_text == second.system_text
    assert [turn["role"] for turn in second.turns] == ["user", "assistant", "user"]
    assert blocks(second.turns[1]) == [{"type": "text", "text": "Let me explain."}]
    assert "Call the `mcp__t__beta` tool now" in second.last_user_text


@pytest.mark.parametrize("stream", [False, True])
def test_a_demand_that_is_never_followed_is_a_failure(
    gateway: RunningGateway, stream: bool
) -> None:
    gateway.upstream.script = lambda _: Answer(blocks=(ToolUseBlock("mcp__t__alpha"),))
    reply = post(gateway, stream=stream, tools=TOOLS, tool_choice=named("beta"))
    assert (reply.status, reply.error["code"]) == (502, "tool_choice_not_followed")
    assert (reply.error["param"], reply.headers["x-should-retry"]) == ("tool_choice", "false")
    assert len(gateway.upstream.requests) == 2
