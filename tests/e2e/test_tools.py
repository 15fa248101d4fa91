"""The client's tools over the real CLI: choices, names, schemas, rounds of calls and results."""

import json
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
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
NOTHING = {"type": "object", "properties": {}}


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def allowed(*names: str, mode: str) -> dict[str, Any]:
    tools = [named(name) for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def called(choice: Choice) -> list[str]:
    return [call["name"] for call in choice.tool_calls]


# -- choices ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool_choice", "words", "expected"),
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
    ids=str,
)
def test_a_tool_choice_decides_what_is_called(
    gateway: RunningGateway, tool_choice: object, words: str, expected: list[str]
) -> None:
    messages = [{"role": "user", "content": words}]
    choice = chat(gateway, tools=TOOLS, tool_choice=tool_choice, messages=messages).choice
    assert called(choice) == expected
    assert choice.finish_reason == ("tool_calls" if expected else "stop")
    assert bool(choice.content) == (not expected)


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


@pytest.mark.parametrize("stream", [False, True])
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
    chat(gateway, tools=tools, tool_choice=named("files.read"))
    chosen = last_request(gateway).tool_choice["name"]
    assert called(choice)[offered.index(chosen)] == "files.read"


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
        ({}, NOTHING),
        (NOTHING, NOTHING),
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


# -- calls --------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ({}, "{}"),
        ("", "{}"),
        ('{"a": "ü\\n\\u2028", "b": [1, {"c": null}]}', None),
        ('{ "spaced" : 1.50 }', None),
    ],
    ids=["empty", "nothing", "nested", "spaced"],
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


@pytest.mark.parametrize("stream", [False, True])
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


@pytest.mark.parametrize("content", ["", None, []], ids=["empty", "null", "no parts"])
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


@pytest.mark.parametrize("stream", [False, True])
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


# -- names that the model makes up --------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["mcp__t__nope", "Bash", "alpha"])
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
    assert gateway.wait_until_idle() == []
    assert len(gateway.upstream.requests) < 10


# -- with a schema for the answer ---------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_tools_first_and_a_structured_answer_after(gateway: RunningGateway, stream: bool) -> None:
    schema = {
        "type": "object",
        "properties": {"degrees": {"type": "integer"}},
        "required": ["degrees"],
        "additionalProperties": False,
    }
    fields = {
        "tools": TOOLS,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "weather", "schema": schema},
        },
    }
    gateway.upstream.script = in_order(
        Answer(blocks=(ToolUseBlock("mcp__t__alpha", {"city": "Bern"}),)),
        Answer(blocks=(ToolUseBlock("StructuredOutput", {"degrees": 21}),)),
    )
    first = chat(gateway, stream=stream, **fields).choice
    assert (called(first), first.content, first.finish_reason) == (["alpha"], "", "tool_calls")
    again = asked_again(first, {first.tool_calls[0]["id"]: "21 degrees"})
    second = chat(gateway, stream=stream, messages=[*HI, *again], **fields).choice
    assert json.loads(second.content) == {"degrees": 21}
    assert (second.tool_calls, second.finish_reason) == ([], "stop")
    for request in gateway.upstream.requests:
        *mine, output = request.tools
        assert [tool["name"] for tool in mine] == [
            "mcp__t__alpha", "mcp__t__beta", "mcp__t__gamma",
        ]  # fmt: skip
        assert (output["name"], output["input_schema"]) == ("StructuredOutput", schema)
        assert request.tool_choice == {"type": "auto"}
