"""A call of each kind of tool as an item, from whatever arguments the model wrote."""

from typing import Any

import pytest

from gateway_openai_responses.tool_kinds import (
    Offer,
    call_fields,
    custom_arguments,
    custom_input,
    tool_name,
)


@pytest.mark.parametrize(
    ("name", "namespace", "expected"),
    [
        ("f", None, "f"),
        ("f", "", "f"),
        ("f", "space", "space__f"),
        ("f", "mcp__git__", "mcp__git__f"),
    ],
)
def test_the_name_of_a_tool(name: str, namespace: str | None, expected: str) -> None:
    assert tool_name(name, namespace) == expected


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input": "a\\nb"}', "a\nb"),
        ('"a"', "a"),
        ("{}", ""),
        ('{"patch": "a"}', '{"patch": "a"}'),
        ("not JSON", "not JSON"),
        ('{"input": "*** Begin Pa', "*** Begin Pa"),
        ("", ""),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_the_input_of_a_custom_tool(arguments: str, text: str) -> None:
    assert custom_input(arguments) == text


def test_the_input_of_a_custom_tool_there_and_back() -> None:
    assert custom_input(custom_arguments('é\n"\\')) == 'é\n"\\'


def local_shell(**fields: Any) -> dict[str, Any]:
    nothing = {"type": "exec", "command": [], "env": {}, "timeout_ms": None, "user": None}
    return {
        "type": "local_shell_call",
        "action": {**nothing, "working_directory": None, **fields},
    }


def shell(**fields: Any) -> dict[str, Any]:
    nothing = {"commands": [], "timeout_ms": None, "max_output_length": None}
    return {"type": "shell_call", "environment": None, "action": {**nothing, **fields}}


def patch(**fields: Any) -> dict[str, Any]:
    return {"type": "apply_patch_call", "operation": fields}


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        ("function", '{"a":1}', {"type": "function_call", "name": "n", "arguments": '{"a":1}'}),
        ("custom", '{"input":"a"}', {"type": "custom_tool_call", "name": "n", "input": "a"}),
        ("local_shell", '{"command": ["ls", "-l"]}', local_shell(command=["ls", "-l"])),
        ("local_shell", '{"command": "ls"}', local_shell(command=["bash", "-lc", "ls"])),
        (
            "local_shell",
            '{"command": [1], "env": {"A": "b", "C": 1}, "timeout_ms": 5, "working_directory": "/"}',
            local_shell(command=["1"], env={"A": "b"}, timeout_ms=5, working_directory="/"),
        ),
        ("local_shell", "not JSON", local_shell()),
        (
            "shell",
            '{"commands": ["a", "b"], "timeout_ms": 1}',
            shell(commands=["a", "b"], timeout_ms=1),
        ),
        ("shell", '{"commands": "a", "timeout_ms": true}', shell(commands=["a"])),
        ("shell", '{"command": "a"}', shell(commands=["a"])),
        (
            "apply_patch",
            '{"operation": {"type": "create_file", "path": "a", "diff": "+b"}}',
            patch(type="create_file", path="a", diff="+b"),
        ),
        ("apply_patch", '{"path": "a"}', patch(type="update_file", path="a", diff="")),
        (
            "apply_patch",
            '{"operation": {"type": "delete_file", "path": "a", "diff": "x"}}',
            patch(type="delete_file", path="a"),
        ),
        (
            "tool_search",
            '{"query": "x"}',
            {"type": "tool_search_call", "execution": "client", "arguments": {"query": "x"}},
        ),
    ],
)
def test_the_fields_of_a_call(kind: Any, arguments: str, expected: dict[str, Any]) -> None:
    assert call_fields(Offer(kind, "n"), arguments) == expected


def test_a_call_of_a_namespace_names_it() -> None:
    fields = call_fields(Offer("function", "f", "space"), "{}")
    assert (fields["name"], fields["namespace"]) == ("f", "space")
