"""Tools as all kinds of clients describe them, over the real CLI: each reaches the model whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_claude_code.upstream import Answer, ToolUseBlock, text_answer
from tests.cells import in_turn, on_demand
from tests.e2e.bodies import HI, asked_again, blocks, chat, function, last_request, post
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

CORPUS = json.loads(
    (Path(__file__).parent / "tool_corpus" / "tools.json").read_text(encoding="utf-8")
)
STRING = {"type": "string"}
ODATA = {
    "type": "object",
    "properties": {"$filter": STRING, "ids[]": {"type": "array"}, "größe": {}, "x" * 70: {}},
    "required": ["$filter"],
}
DIALECTS: dict[str, dict[str, Any]] = {
    "tuple": {"type": "object", "properties": {"a": {"items": [STRING, {"type": "number"}]}}},
    "draft_3": {"type": "object", "properties": {"a": {"type": "any", "required": True}}},
    "draft_4": {"type": "object", "properties": {"a": {"minimum": 0, "exclusiveMinimum": True}}},
    "nulls": {"type": "object", "properties": None, "required": None, "description": None},
    "null_enum": {"type": "object", "properties": {"a": {"type": "string", "enum": None}}},
    "capitals": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
    "openapi": {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}},
    "twice": {"type": "object", "properties": {"a": {}}, "required": ["a", "a"]},
    "text": {"type": "object", "properties": {"a": {"type": "string", "minLength": "3"}}},
    "nowhere": {"type": "object", "properties": {"a": {"$ref": "#/$defs/None"}}},
    "choice": {"type": "object", "anyOf": [{"properties": {"a": STRING}, "required": ["a"]}]},
    "reference": {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object"}}},
    "untyped": {"properties": {"a": STRING}},
    "names": {"type": "object", "properties": {"": {}, "a b": {}, "__proto__": {}}},
    "nothing": {},
    "large": {"type": "object", "properties": {f"p{n}": {"type": "INT"} for n in range(2000)}},
    "deep": {"type": "object", "properties": {"a": {"type": "STRING"}}},
}
for _ in range(60):
    DIALECTS["deep"] = {"type": "object", "properties": {"a": DIALECTS["deep"]}}


def offered(gateway: RunningGateway) -> dict[str, dict[str, Any]]:
    tools = last_request(gateway).tools
    return {tool["name"].removeprefix("mcp__t__"): tool for tool in tools}


def test_no_tool_is_missing_and_no_description_is_cut(gateway: RunningGateway) -> None:
    """Those of MCP servers and agents (`tool_corpus/tools.json`), of each dialect, and a long one."""
    listed = [tool for source in CORPUS for tool in source["tools"]]
    named = [
        {**tool, "name": f"{number}_{tool['name']}"[:64]} for number, tool in enumerate(listed)
    ]
    tools = [
        *({"type": "function", "function": tool} for tool in named),
        *(function(name, schema) for name, schema in DIALECTS.items()),
        function("long", description="word " * 2400),
    ]
    chat(gateway, tools=tools)
    found = offered(gateway)
    assert len(gateway.upstream.requests) == 1
    assert sorted(found) == sorted(tool["function"]["name"].replace(".", "_") for tool in tools)
    assert found["long"]["description"] == "word " * 2400
    for tool in named:
        assert found[tool["name"].replace(".", "_")]["description"].startswith(tool["description"])


@pytest.mark.parametrize("stream", [on_demand(False), True])
def test_names_that_the_api_refuses_there_and_back(gateway: RunningGateway, stream: bool) -> None:
    tools = [function("query", ODATA), function("other")]
    sent = {"filter": "x eq 1", "ids": [1], "grosse": {"filter": 2}, "x" * 50: None}
    gateway.upstream.script = lambda _: Answer(
        blocks=(ToolUseBlock("mcp__t__query", sent),), piece_chars=5
    )
    choice = chat(gateway, stream=stream, tools=tools).choice
    schema = offered(gateway)["query"]["input_schema"]
    assert (list(schema["properties"]), schema["required"]) == (list(sent), ["filter"])
    (call,) = choice.tool_calls
    assert json.loads(call["arguments"]) == {
        "$filter": "x eq 1",
        "ids[]": [1],
        "größe": {"filter": 2},
        "x" * 70: None,
    }
    gateway.upstream.script = lambda _: text_answer("Done.")
    chat(gateway, tools=tools, messages=[*HI, *asked_again(choice, {call["id"]: "found"})])
    (earlier,) = [
        block for block in blocks(last_request(gateway).turns[1]) if block["type"] == "tool_use"
    ]
    assert earlier["input"] == sent


@pytest.mark.parametrize(
    ("form", "model"),
    in_turn(["function", "flat", "anthropic"], ["claude-sonnet-4", "claude-haiku-4"]),
)
def test_a_choice_of_such_a_tool(gateway: RunningGateway, model: str, form: str) -> None:
    choices = {
        "function": {"type": "function", "function": {"name": "query"}},
        "flat": {"type": "function", "name": "query"},
        "anthropic": {"type": "tool", "name": "query"},
    }
    tools = {
        "function": function("query", ODATA),
        "flat": {"type": "function", "name": "query", "parameters": ODATA},
        "anthropic": {"name": "query", "description": "Runs query.", "input_schema": ODATA},
    }
    reply = chat(gateway, model=model, tools=[tools[form]], tool_choice=choices[form])
    assert [call["name"] for call in reply.choice.tool_calls] == ["query"]
    assert "filter" in offered(gateway)["query"]["input_schema"]["properties"]


def test_texts_of_tools_arrive_letter_by_letter(gateway: RunningGateway) -> None:
    schema = {"type": "object", "properties": {"unit": {"enum": ["m²", "½", "a\u200bb"]}}}
    chat(gateway, tools=[function("size", schema, description="In m² …")])
    assert offered(gateway)["size"] == {
        "name": "mcp__t__size",
        "description": "In m² …",
        "input_schema": schema,
    }


def test_a_schema_that_is_no_object_is_refused_with_its_place(gateway: RunningGateway) -> None:
    tools = [function("a"), {"name": "b", "input_schema": {"type": "array"}}]
    reply = post(gateway, tools=tools)
    assert (reply.status, reply.error["param"]) == (400, "tools[1].input_schema")
    assert gateway.upstream.requests == []
