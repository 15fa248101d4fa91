"""Tools of every type, and the choice among them."""

from typing import Any

import pytest

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import ToolChoice, UserLocation, WebSearchOptions
from gateway_openai_responses.decode.request import ResponseCall, decode, parse
from gateway_openai_responses.decode.tools import HOSTED
from gateway_openai_responses.tool_kinds import Offer
from tests.openai_responses.responses_support import request_body

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FUNCTION = {"type": "function", "name": "f", "description": "F.", "parameters": SCHEMA}
CUSTOM = {"type": "custom", "name": "edit", "description": "E."}
SPACE = {
    "type": "namespace",
    "name": "mcp__git__",
    "description": "Git.",
    "tools": [{"type": "function", "name": "log"}, {"type": "custom", "name": "edit"}],
}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}


def called(*tools: dict[str, Any], **fields: Any) -> ResponseCall:
    return decode(parse(request_body(tools=list(tools), **fields)))


def test_a_function() -> None:
    call = called({**FUNCTION, "strict": True})
    [tool] = call.requests[0].tools
    assert (tool.name, tool.description, tool.schema, tool.strict) == ("f", "F.", SCHEMA, True)
    assert tool.place == "tools[0].parameters"
    assert call.offers == {"f": Offer("function", "f")}


def test_a_custom_tool_is_a_function_of_one_string() -> None:
    call = called(CUSTOM)
    [tool] = call.requests[0].tools
    assert list(tool.schema["properties"]) == tool.schema["required"] == ["input"]
    assert tool.description == "E."
    assert call.offers == {"edit": Offer("custom", "edit")}
    assert call.adjusted == {}


def test_a_grammar_goes_into_the_description_and_is_said() -> None:
    call = called({**CUSTOM, "format": GRAMMAR})
    assert call.requests[0].tools[0].description == (
        "E.\n\nThe input has to match this grammar (lark):\n\nstart: /a/"
    )
    assert call.adjusted == {"tools.edit.format": "in_description"}


def test_the_tools_of_a_namespace_have_its_name_in_front() -> None:
    call = called(FUNCTION, SPACE)
    assert call.offers == {
        "f": Offer("function", "f"),
        "mcp__git__log": Offer("function", "log", "mcp__git__"),
        "mcp__git__edit": Offer("custom", "edit", "mcp__git__"),
    }
    assert [tool.description for tool in call.requests[0].tools] == ["F.", "Git.", "Git."]


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ({"type": "local_shell"}, "local_shell"),
        ({"type": "shell"}, "shell"),
        ({"type": "shell", "environment": {"type": "local"}}, "shell"),
        ({"type": "apply_patch"}, "apply_patch"),
        ({"type": "tool_search", "execution": "client", "parameters": SCHEMA}, "tool_search"),
    ],
)
def test_a_tool_that_the_client_runs_is_known_by_its_type(tool: dict[str, Any], name: str) -> None:
    call = called(tool)
    assert [each.name for each in call.requests[0].tools] == [name]
    assert call.offers[name].kind == name
    assert call.ignored == ()


@pytest.mark.parametrize("kind", [*HOSTED, "computer_2027_01_01"])
def test_a_hosted_tool_is_refused_by_name(kind: str) -> None:
    with pytest.raises(UnsupportedParameter, match=kind) as caught:
        called(FUNCTION, {"type": kind})
    assert caught.value.param == "tools[1].type"


SEARCH = {
    "search_context_size": "low",
    "user_location": {"type": "approximate", "city": "Bern", "country": "CH"},
    "filters": {"allowed_domains": ["example.com"]},
}


@pytest.mark.parametrize(
    "kind",
    ["web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"],
)
def test_a_search_is_no_tool_of_the_client_s(kind: str) -> None:
    call = called(FUNCTION, {"type": kind, **SEARCH}, max_tool_calls=3)
    [request] = call.requests
    assert request.web_search == WebSearchOptions(
        max_uses=3,
        context_size="low",
        location=UserLocation(city="Bern", country="CH"),
        allowed_domains=("example.com",),
    )
    assert request.web_search.place == "tools[1]"
    assert [tool.name for tool in request.tools] == ["f"]
    assert call.ignored == ()


def test_a_search_without_the_web_is_left_out_with_a_word() -> None:
    call = called({"type": "web_search", "external_web_access": False})
    assert call.requests[0].web_search is None
    assert call.ignored == ("tools.web_search",)


def test_a_shell_in_a_container_is_refused() -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        called({"type": "shell", "environment": {"type": "container_auto"}})
    assert caught.value.param == "tools[0].environment.type"


@pytest.mark.parametrize("kind", ["tool_search", "programmatic_tool_calling", "something_new"])
def test_an_unknown_type_is_left_out_with_a_word(kind: str) -> None:
    call = called({"type": kind}, FUNCTION)
    assert call.ignored == (f"tools.{kind}",)
    assert list(call.offers) == ["f"]


def test_tools_within_the_conversation_are_offered_too() -> None:
    found = {
        "type": "tool_search_output",
        "execution": "client",
        "call_id": "c",
        "tools": [FUNCTION],
    }
    search = {"type": "tool_search_call", "call_id": "c", "execution": "client", "arguments": {}}
    more = {"type": "additional_tools", "role": "developer", "tools": [CUSTOM, FUNCTION]}
    call = called(SPACE, input=[search, found, search, found, more])
    assert list(call.offers) == ["mcp__git__log", "mcp__git__edit", "f", "edit"]


@pytest.mark.parametrize(
    ("tools", "param"),
    [
        ([{"type": "function"}], "tools[0].name"),
        ([{"type": "function", "name": "a b"}], "tools[0].name"),
        ([{"type": "custom", "name": ""}], "tools[0].name"),
        ([FUNCTION, FUNCTION], "tools[1].name"),
        ([FUNCTION, {"type": "custom", "name": "f"}], "tools[1].name"),
        ([{**FUNCTION, "parameters": {"type": "string"}}], "tools[0].parameters"),
        ([{"type": "namespace", "description": ""}], "tools[0].name"),
        ([{**SPACE, "tools": [{"type": "function"}]}], "tools[0].tools[0].name"),
        ([{}], "tools[0].type"),
    ],
)
def test_the_error_names_the_place(tools: list[dict[str, Any]], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        called(*tools)
    assert caught.value.param == param


def choice(value: Any, *tools: dict[str, Any], **fields: Any) -> ToolChoice:
    request = called(*(tools or (FUNCTION, CUSTOM, SPACE)), tool_choice=value, **fields).requests[0]
    return request.tool_choice


@pytest.mark.parametrize(
    ("value", "mode", "names"),
    [
        (None, "auto", ()),
        ("auto", "auto", ()),
        ("none", "none", ()),
        ("required", "required", ()),
        ({"type": "function", "name": "f"}, "required", ("f",)),
        ({"type": "function", "name": "log"}, "required", ("mcp__git__log",)),
        (
            {"type": "function", "name": "log", "namespace": "mcp__git__"},
            "required",
            ("mcp__git__log",),
        ),
        ({"type": "custom", "name": "edit"}, "required", ("edit",)),
        (
            {"type": "namespace", "name": "mcp__git__"},
            "required",
            ("mcp__git__log", "mcp__git__edit"),
        ),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}],
            },
            "required",
            ("f",),
        ),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
            "auto",
            ("f",),
        ),
    ],
)
def test_a_choice(value: Any, mode: Any, names: tuple[str, ...]) -> None:
    assert choice(value) == ToolChoice(mode=mode, names=names)


def test_a_choice_of_a_tool_by_its_type() -> None:
    tools = ({"type": "apply_patch"}, {"type": "shell"})
    assert choice({"type": "shell"}, *tools).names == ("shell",)


def test_one_call_an_answer() -> None:
    assert choice("auto", parallel_tool_calls=False) == ToolChoice(parallel=False)


@pytest.mark.parametrize(
    ("value", "param"),
    [
        ({"type": "function", "name": "g"}, "tool_choice.name"),
        ({"type": "function", "name": "log", "namespace": "other"}, "tool_choice.name"),
        ({"type": "web_search"}, "tool_choice.type"),
        ({"type": "mcp", "server_label": "x"}, "tool_choice.type"),
        ({"type": "allowed_tools", "mode": "auto", "tools": []}, "tool_choice.tools"),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "g"}]},
            "tool_choice.tools[0].name",
        ),
        ("any", "tool_choice"),
        (1, "tool_choice"),
    ],
)
def test_a_wrong_choice_is_refused(value: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        choice(value)
    assert caught.value.param == param


def test_a_choice_without_tools_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="requires 'tools'"):
        decode(parse(request_body(tool_choice="required")))
