"""Malformed requests: values of a wrong type for every field, and wrong values elsewhere."""

import json
from typing import Any

import pytest
from fastapi import FastAPI

from tests.openai.http.malformed.malformed_support import CHAT, TEXT, encoded, refused, tool
from tests.openai.openai_support import request_body

STRING: list[Any] = [5, 1.5, True, [], ["x"], {}]
NUMBER: list[Any] = ["1", "", True, [], [1], {}]
INTEGER: list[Any] = [*NUMBER, 1.5]
BOOLEAN: list[Any] = ["true", 1, 0, 1.5, [], {}]
OBJECT: list[Any] = ["x", "", 5, True, [], ["x"]]
LIST: list[Any] = ["x", "", 5, True, {}]
CHOICE: list[Any] = ["nothing", "", 5, True, [], {}]

BOTH_TYPES: dict[str, list[Any]] = {
    "model": [*STRING, None],
    "stream": BOOLEAN,
    "stream_options": OBJECT,
    "max_tokens": [*INTEGER, -1, -(10**30)],
    "temperature": [*NUMBER, -0.1, 2.1],
    "top_p": [*NUMBER, -0.1, 1.1],
    "n": [*INTEGER, 0, -1, 129, 10**30],
    "stop": [5, True, {}, ["a", "b", "c", "d", "e"]],
    "frequency_penalty": [*NUMBER, -2.1, 2.1],
    "presence_penalty": [*NUMBER, -2.1, 2.1],
    "logit_bias": OBJECT,
    "seed": INTEGER,
    "user": STRING,
}
CHAT_TYPES: dict[str, list[Any]] = {
    **BOTH_TYPES,
    "messages": [*LIST, None, []],
    "max_completion_tokens": [*INTEGER, -1],
    "tools": LIST,
    "tool_choice": [5, True, [], "any", ""],
    "parallel_tool_calls": BOOLEAN,
    "functions": LIST,
    "function_call": [5, True, [], "required", ""],
    "response_format": OBJECT,
    "reasoning_effort": CHOICE,
    "modalities": [*LIST, ["audio"], ["text", "audio"]],
    "audio": OBJECT,
    "logprobs": BOOLEAN,
    "top_logprobs": [*INTEGER, -1, 21],
    "prediction": OBJECT,
    "verbosity": STRING,
    "web_search_options": OBJECT,
    "moderation": OBJECT,
    "metadata": OBJECT,
    "store": BOOLEAN,
    "service_tier": STRING,
    "safety_identifier": STRING,
    "prompt_cache_key": STRING,
    "prompt_cache_options": OBJECT,
    "prompt_cache_retention": STRING,
}
TEXT_TYPES: dict[str, list[Any]] = {
    **BOTH_TYPES,
    "prompt": [5, True, {}, None, "", " ", [], [1, 2], [[1], [2]], ["a", 1]],
    "best_of": [*INTEGER, 0, 129],
    "echo": BOOLEAN,
    "logprobs": [*INTEGER, -1, 6],
    "suffix": [*STRING, "The end."],
}
TOP_LEVEL = [
    pytest.param(path, name, value, id=f"{path}-{name}-{json.dumps(value)[:30]}")
    for path, types in ((CHAT, CHAT_TYPES), (TEXT, TEXT_TYPES))
    for name, values in types.items()
    for value in values
]


def body_for(path: str, **fields: object) -> dict[str, object]:
    if path == CHAT:
        return request_body(**fields)
    return {"model": "test-model", "prompt": "Once upon", **fields}


@pytest.mark.parametrize(("path", "name", "value"), TOP_LEVEL)
async def test_a_wrong_value_of_a_field(app: FastAPI, path: str, name: str, value: object) -> None:
    response = await refused(app, path, encoded(body_for(path, **{name: value})))
    assert response.status_code == 400
    param = response.json()["error"]["param"]
    assert param.split("[")[0].split(".")[0] == name


@pytest.mark.parametrize(
    ("path", "name"), [(CHAT, "model"), (CHAT, "messages"), (TEXT, "model"), (TEXT, "prompt")]
)
async def test_a_missing_field(app: FastAPI, path: str, name: str) -> None:
    body = body_for(path)
    del body[name]
    response = await refused(app, path, encoded(body))
    assert (response.status_code, response.json()["error"]["param"]) == (400, name)


def chosen(choice: object) -> dict[str, object]:
    return {"tools": [tool()], "tool_choice": choice}


def allowed(mode: object, tools: object) -> dict[str, object]:
    return chosen({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})


def schema(**fields: object) -> dict[str, object]:
    return {"response_format": {"type": "json_schema", "json_schema": fields}}


ELSEWHERE: list[tuple[dict[str, Any], str]] = [
    ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
    ({"stream_options": {"include_obfuscation": 1}}, "stream_options.include_obfuscation"),
    ({"stop": [5]}, "stop[0]"),
    ({"stop": ["a", None]}, "stop[1]"),
    ({"modalities": [5]}, "modalities[0]"),
    # tools
    *(({"tools": [value]}, "tools[0]") for value in (5, "f", None, [])),
    ({"tools": [{}]}, "tools[0].function"),
    ({"tools": [{"type": "function", "function": 5}]}, "tools[0].function"),
    ({"tools": [{"type": 5, "function": {"name": "f"}}]}, "tools[0].type"),
    *(
        ({"tools": [{"type": kind}]}, "tools[0].type")
        for kind in ("", "custom", "web_search", "code_interpreter", "Function")
    ),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    *(
        ({"tools": [tool(name)]}, "tools[0].function.name")
        for name in (
            5,
            None,
            "",
            " ",
            "two words",
            "x" * 65,
            "größe",
            "道具",
            "🔧",
            "f\n",
            "f\0",
            "a/b",
            "a:b",
            "f()",
        )
    ),
    ({"tools": [tool("f"), tool("f")]}, "tools[1].function.name"),
    ({"tools": [tool(description=5)]}, "tools[0].function.description"),
    ({"tools": [tool(strict="yes")]}, "tools[0].function.strict"),
    *(
        ({"tools": [tool(parameters=value)]}, "tools[0].function.parameters")
        for value in (5, "x", [], True, {"type": "string"}, {"type": ["array"]}, {"type": 5})
    ),
    ({"functions": [{}]}, "functions[0].name"),
    ({"functions": [{"name": "größe"}]}, "functions[0].name"),
    ({"functions": [{"name": "f"}, {"name": "f"}]}, "functions[1].name"),
    ({"functions": [{"name": "f", "parameters": 5}]}, "functions[0].parameters"),
    ({"functions": [{"name": "f"}], "tools": [tool()]}, "functions"),
    ({"functions": [{"name": "f"}], "function_call": {}}, "function_call.name"),
    ({"functions": [{"name": "f"}], "function_call": {"name": "g"}}, "function_call.name"),
    ({"function_call": {"name": "f"}}, "function_call"),
    ({"tools": [tool()], "function_call": {"name": "f"}}, "function_call"),
    ({"tools": [tool()], "function_call": "none"}, "function_call"),
    ({"functions": [{"name": "f"}], "tool_choice": "required"}, "tool_choice"),
    # the choice among them
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tool_choice": tool()}, "tool_choice"),
    (chosen({}), "tool_choice.type"),
    (chosen({"type": "custom", "custom": {"name": "f"}}), "tool_choice.type"),
    (chosen({"type": "function"}), "tool_choice.function"),
    (chosen({"type": "function", "function": "f"}), "tool_choice.function"),
    (chosen({"type": "function", "function": {}}), "tool_choice.function.name"),
    (chosen(tool("g")), "tool_choice.function.name"),
    (chosen(tool("")), "tool_choice.function.name"),
    (chosen({"type": "allowed_tools"}), "tool_choice.allowed_tools"),
    (allowed("none", [tool()]), "tool_choice.allowed_tools.mode"),
    (allowed("auto", []), "tool_choice.allowed_tools.tools"),
    (allowed("auto", 5), "tool_choice.allowed_tools.tools"),
    (allowed("auto", [5]), "tool_choice.allowed_tools.tools[0]"),
    (allowed("auto", [tool("g")]), "tool_choice.allowed_tools.tools[0].function.name"),
    # the form of the answer
    ({"response_format": {}}, "response_format.type"),
    *(
        ({"response_format": {"type": kind}}, "response_format.type")
        for kind in ("", "xml", "JSON", "grammar", 5, None)
    ),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    (
        {"response_format": {"type": "json_schema", "json_schema": 5}},
        "response_format.json_schema",
    ),
    (schema(), "response_format.json_schema.name"),
    (schema(name="x"), "response_format.json_schema.schema"),
    (schema(name=5, schema={}), "response_format.json_schema.name"),
    *(
        (schema(name="x", schema=value), "response_format.json_schema.schema")
        for value in (5, "x", [], None, True)
    ),
    (schema(name="x", schema={}, strict="yes"), "response_format.json_schema.strict"),
    (schema(name="x", schema={}, description=5), "response_format.json_schema.description"),
]


@pytest.mark.parametrize(("fields", "param"), ELSEWHERE)
async def test_what_is_wrong_elsewhere(app: FastAPI, fields: dict[str, Any], param: str) -> None:
    response = await refused(app, CHAT, encoded(request_body(**fields)))
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
