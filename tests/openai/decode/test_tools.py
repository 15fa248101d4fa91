"""Tools, and the choice among them."""

from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Tool, ToolChoice
from gateway_openai.decode.chat import decode, parse
from tests.openai.openai_support import request_body

EMPTY = {"type": "object", "properties": {}}


def tool(name: str = "f", **fields: object) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **fields}}


def request(**fields: object) -> ChatRequest:
    return decode(parse(request_body(**fields))).request


@pytest.mark.parametrize(
    ("fields", "decoded"),
    [
        (tool(), Tool(name="f")),
        ({"function": {"name": "f"}}, Tool(name="f")),
        (tool("a.b-c_D1"), Tool(name="a.b-c_D1")),
        (tool("x" * 64), Tool(name="x" * 64)),
        (tool(description="Does."), Tool(name="f", description="Does.")),
        (tool(description=None, strict=None), Tool(name="f")),
        (tool(strict=True), Tool(name="f", strict=True)),
        (tool(parameters=None), Tool(name="f", schema=EMPTY)),
        (tool(parameters={}), Tool(name="f", schema=EMPTY)),
        (tool(parameters={"type": "object"}), Tool(name="f", schema={"type": "object"})),
        (
            tool(parameters={"properties": {"a": {}}}),
            Tool(name="f", schema={"properties": {"a": {}}, "type": "object"}),
        ),
        (tool(parameters={"type": ["object", "null"]}), Tool(name="f", schema={"type": "object"})),
    ],
)
def test_a_tool(fields: dict[str, Any], decoded: Tool) -> None:
    assert request(tools=[fields]).tools == (decoded,)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (tool(parameters={"properties": {}}), "tools[0].function.parameters"),
        ({"type": "function", "name": "f", "parameters": EMPTY}, "tools[0].parameters"),
        ({"name": "f", "parameters": EMPTY}, "tools[0].parameters"),
        ({"type": "function", "name": "f"}, "tools[0].parameters"),
        ({"name": "f", "input_schema": EMPTY}, "tools[0].input_schema"),
        ({"type": None, "name": "f", "input_schema": {}}, "tools[0].input_schema"),
        ({"type": "custom", "name": "f", "input_schema": EMPTY}, "tools[0].input_schema"),
    ],
)
def test_a_tool_in_the_form_of_another_api(given: dict[str, Any], place: str) -> None:
    (decoded,) = request(tools=[given]).tools
    assert decoded == Tool(name="f", schema=EMPTY)
    assert decoded.place == place


def test_a_flat_tool_has_all_fields() -> None:
    flat = {"name": "f", "description": "Does.", "input_schema": EMPTY, "strict": True}
    assert request(tools=[flat]).tools == (Tool(name="f", description="Does.", strict=True),)


def test_the_older_form_has_its_own_place() -> None:
    (decoded,) = request(functions=[{"name": "f"}]).tools
    assert decoded.place == "functions[0].parameters"


@pytest.mark.parametrize("schema", [{"type": "OBJECT"}, {"type": "any"}, {"properties": None}])
def test_the_dialect_of_a_schema_is_left_to_the_backend(schema: dict[str, Any]) -> None:
    (decoded,) = request(tools=[tool(parameters=schema)]).tools
    assert {**decoded.schema, "type": 0} == {**schema, "type": 0}


@pytest.mark.parametrize("fields", [{"tools": []}, {"tools": None}, {"functions": []}])
def test_no_tools_are_no_tools(fields: dict[str, object]) -> None:
    assert request(**fields).tools == ()


@pytest.mark.parametrize(
    ("tools", "param"),
    [
        ([tool(""), tool("g")], "tools[0].function.name"),
        ([tool("g"), tool("two words")], "tools[1].function.name"),
        ([tool("x" * 65)], "tools[0].function.name"),
        ([tool("f\n")], "tools[0].function.name"),
        ([tool("f"), tool("f")], "tools[1].function.name"),
        ([tool(parameters={"type": "string"})], "tools[0].function.parameters"),
        ([tool(parameters={"type": ["null"]})], "tools[0].function.parameters"),
        ([tool(parameters={"maximum": float("inf")})], "tools[0].function.parameters"),
        ([tool(parameters={"type": "STRING"})], "tools[0].function.parameters"),
        ([{"name": "f", "input_schema": {"type": "array"}}], "tools[0].input_schema"),
        ([{"name": "two words", "input_schema": EMPTY}], "tools[0].name"),
        ([{"type": "bash_20250124", "name": "bash"}], "tools[0].type"),
        ([{"type": "custom", "custom": {"name": "f"}}], "tools[0].type"),
        ([{"type": "web_search"}], "tools[0].type"),
    ],
)
def test_a_tool_that_is_refused(tools: list[object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request(tools=tools)
    assert caught.value.param == param


def allowed(mode: str, *names: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


NAMED = {"type": "function", "function": {"name": "f"}}
NAMED_CHOICE = ToolChoice(mode="required", names=("f",))


@pytest.mark.parametrize(
    ("fields", "decoded"),
    [
        ({}, ToolChoice()),
        ({"tool_choice": None}, ToolChoice()),
        ({"tool_choice": "auto"}, ToolChoice()),
        ({"tool_choice": "none"}, ToolChoice(mode="none")),
        ({"tool_choice": "required"}, ToolChoice(mode="required")),
        ({"tool_choice": "any"}, ToolChoice(mode="required")),
        ({"tool_choice": NAMED}, ToolChoice(mode="required", names=("f",))),
        ({"tool_choice": allowed("auto", "f", "g")}, ToolChoice(names=("f", "g"))),
        ({"tool_choice": allowed("required", "g")}, ToolChoice(mode="required", names=("g",))),
        ({"tool_choice": {"type": "function", "name": "f"}}, NAMED_CHOICE),
        ({"tool_choice": {"type": "tool", "name": "f"}}, NAMED_CHOICE),
        ({"tool_choice": {"type": "any"}}, ToolChoice(mode="required")),
        ({"tool_choice": {"type": "none"}}, ToolChoice(mode="none")),
        ({"tool_choice": {"type": "auto"}}, ToolChoice()),
        (
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            ToolChoice(parallel=False),
        ),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "function", "name": "g"}],
                }
            },
            ToolChoice(names=("g",)),
        ),
        ({"parallel_tool_calls": True}, ToolChoice()),
        ({"parallel_tool_calls": False}, ToolChoice(parallel=False)),
        (
            {"parallel_tool_calls": False, "tool_choice": NAMED},
            ToolChoice(mode="required", names=("f",), parallel=False),
        ),
    ],
)
def test_a_choice(fields: dict[str, object], decoded: ToolChoice) -> None:
    assert request(tools=[tool("f"), tool("g")], **fields).tool_choice == decoded


@pytest.mark.parametrize("choice", ["none", "auto"])
def test_without_tools_a_choice_that_forces_nothing_is_fine(choice: str) -> None:
    assert request(tool_choice=choice).tool_choice.mode == choice


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [tool("f")], "function_call": "auto"},
        {"functions": [{"name": "f"}], "tool_choice": "auto"},
        {"function_call": "none"},
        {"function_call": "auto"},
    ],
)
def test_a_choice_of_the_other_form_is_fine_if_it_forces_nothing(fields: dict[str, object]) -> None:
    assert request(**fields).tool_choice.mode == "auto"


@pytest.mark.parametrize("choice", ["required", NAMED, allowed("auto", "f")])
def test_without_tools_nothing_can_be_forced(choice: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request(tool_choice=choice)
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ({"type": "function", "function": {"name": "x"}}, "tool_choice.function.name"),
        ({"type": "function"}, "tool_choice.function"),
        ({"type": "function", "name": "x"}, "tool_choice.name"),
        ({"type": "tool"}, "tool_choice.name"),
        ({"type": "tool", "name": "x"}, "tool_choice.name"),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"name": "x"}]},
            "tool_choice.tools[0].name",
        ),
        ({"type": "allowed_tools"}, "tool_choice.allowed_tools"),
        (allowed("auto"), "tool_choice.allowed_tools.tools"),
        (allowed("none", "f"), "tool_choice.allowed_tools.mode"),
        (allowed("auto", "f", "x"), "tool_choice.allowed_tools.tools[1].function.name"),
        ({"type": "custom", "custom": {"name": "f"}}, "tool_choice.type"),
    ],
)
def test_a_choice_that_is_refused(choice: object, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request(tools=[tool("f")], tool_choice=choice)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("choice", "decoded"),
    [
        (None, ToolChoice(parallel=False)),
        ("auto", ToolChoice(parallel=False)),
        ("none", ToolChoice(mode="none", parallel=False)),
        ({"name": "f"}, ToolChoice(mode="required", names=("f",), parallel=False)),
    ],
)
def test_legacy_functions_are_tools_of_which_one_is_called(
    choice: object, decoded: ToolChoice
) -> None:
    call = decode(parse(request_body(functions=[{"name": "f"}], function_call=choice)))
    assert call.legacy_functions
    assert call.request.tools == (Tool(name="f"),)
    assert call.request.tool_choice == decoded


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"functions": [{"name": "a b"}]}, "functions[0].name"),
        ({"functions": [{"name": "f"}], "function_call": {"name": "x"}}, "function_call.name"),
        ({"functions": [{"name": "f"}], "tools": [tool("f")]}, "functions"),
    ],
)
def test_legacy_functions_that_are_refused(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request(**fields)
    assert caught.value.param == param


# -- schemas and many tools ---------------------------------------------------------------

NODE = {
    "type": "object",
    "properties": {"next": {"$ref": "#/$defs/node"}, "value": {"type": "integer"}},
}
SCHEMAS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"$defs": {"node": NODE}, "$ref": "#/$defs/node"},
        {"$defs": {"node": NODE}, "$ref": "#/$defs/node", "type": "object"},
    ),
    (
        {"type": "object", "$defs": {"node": NODE}, "properties": {"a": {"$ref": "#"}}},
        {"type": "object", "$defs": {"node": NODE}, "properties": {"a": {"$ref": "#"}}},
    ),
    (
        {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"},
    ),
    (
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
    ),
    (
        {"type": "object", "properties": {"größe": {"minimum": -(2**62), "format": "int64"}}},
        {"type": "object", "properties": {"größe": {"minimum": -(2**62), "format": "int64"}}},
    ),
]


@pytest.mark.parametrize(("schema", "decoded"), SCHEMAS)
@pytest.mark.parametrize("strict", [None, False, True])
def test_schemas_go_through_raw(
    schema: dict[str, Any], decoded: dict[str, Any], strict: bool | None
) -> None:
    (found,) = request(tools=[tool(parameters=schema, strict=strict)]).tools
    assert (found.schema, found.strict) == (decoded, strict)


def test_a_hundred_tools_at_once_in_order() -> None:
    names = [f"tool.{number}" for number in range(100)]
    decoded = request(tools=[tool(name) for name in names], tool_choice=allowed("auto", *names))
    assert [found.name for found in decoded.tools] == names
    assert decoded.tool_choice.names == tuple(names)


@pytest.mark.parametrize("name", ["größe", "道具", "f\u200b", "ﬁ"])
def test_a_name_is_in_ascii(name: str) -> None:
    with pytest.raises(InvalidRequest, match="not a valid function name"):
        request(tools=[tool(name)])
