"""The kinds of tools of the Responses API, and a call of each in both directions. Pure.

To the hub every tool is a function with a JSON Schema. This module describes the other kinds as
functions, writes their calls as items of a response, and reads them back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from gateway.types import Tool
from gateway_openai_responses.string_argument import INPUT, StringArgument

Kind: TypeAlias = Literal[
    "function", "custom", "local_shell", "shell", "apply_patch", "tool_search"
]


_INPUT_SCHEMA: Final = {
    "type": "object",
    "properties": {INPUT: {"type": "string", "description": "The whole input, as plain text."}},
    "required": [INPUT],
    "additionalProperties": False,
}

_LOCAL_SHELL: Final = Tool(
    name="local_shell",
    description="Runs a program on the user's machine and returns its output. For the syntax of a "
    'shell, run one: ["bash", "-lc", "ls | wc -l"].',
    schema={
        "type": "object",
        "properties": {
            "command": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The program and its arguments.",
            },
            "working_directory": {"type": "string"},
            "timeout_ms": {"type": "integer", "description": "In milliseconds."},
            "env": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["command"],
    },
)

_SHELL: Final = Tool(
    name="shell",
    description="Runs commands in a shell on the user's machine, and returns the output and the "
    "exit code of each.",
    schema={
        "type": "object",
        "properties": {
            "commands": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Each is run in a shell of its own; they may run at the same time.",
            },
            "timeout_ms": {"type": "integer", "description": "For each command."},
            "max_output_length": {"type": "integer", "description": "Characters of each output."},
        },
        "required": ["commands"],
    },
)

# the format is described in OpenAI's guide, developers.openai.com/api/docs/guides/tools-apply-patch
_APPLY_PATCH: Final = Tool(
    name="apply_patch",
    description="Creates, changes or deletes a file. `diff` is in the V4A format: for a new file "
    "each line of its content with '+' in front; for a change one or more sections, each headed by "
    "a line '@@' (optionally followed by the line of the class or function that the section is in), "
    "with about three unchanged lines of context before and after, which begin with a space, "
    "removed lines with '-' and added lines with '+' in front. Line numbers are not used.",
    schema={
        "type": "object",
        "properties": {
            "operation": {
                "type": "object",
                "properties": {
                    "type": {"enum": ["create_file", "update_file", "delete_file"]},
                    "path": {"type": "string"},
                    "diff": {"type": "string", "description": "Left out for `delete_file`."},
                },
                "required": ["type", "path"],
            }
        },
        "required": ["operation"],
    },
)

TOOL_SEARCH: Final = "tool_search"

BUILT_IN: Final[Mapping[str, tuple[Kind, Tool]]] = {
    "local_shell": ("local_shell", _LOCAL_SHELL),
    "shell": ("shell", _SHELL),
    "apply_patch": ("apply_patch", _APPLY_PATCH),
}
"""Tools that are known by their type alone, and run by the client."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as the client knows it."""

    kind: Kind
    name: str
    namespace: str | None = None


def tool_name(name: str, namespace: str | None) -> str:
    """The hub's name of a tool, which may be one of a namespace.

    Codex's namespaces of MCP servers are called `mcp__SERVER__` or `mcp__SERVER`
    (codex-rs/codex-mcp/src/mcp/mod.rs).
    """
    if not namespace:
        return name
    return f"{namespace.removesuffix('__')}__{name}"


def custom_tool(name: str, description: str, *, place: str) -> Tool:
    """The function in place of a custom tool."""
    return Tool(name=name, description=description, schema=_INPUT_SCHEMA, place=place)


def custom_arguments(text: str) -> str:
    """The arguments of a call of a custom tool."""
    return json.dumps({INPUT: text}, ensure_ascii=False)


def custom_input(arguments: str) -> str:
    """The input of a custom tool in a call's arguments, as far as it goes.

    Whatever they are, if they are not as they should be.
    """
    match _parsed(arguments):
        case {"input": str(text)} | str(text):
            return text
        case dict(given) if not given:
            return ""
        case None:  # as it was cut off
            return StringArgument().feed(arguments) or arguments
        case _:
            return arguments


def call_fields(offer: Offer, arguments: str) -> dict[str, Any]:
    """The fields of a call's item that depend on its kind, `type` among them."""
    named = {"name": offer.name}
    if offer.namespace is not None:
        named["namespace"] = offer.namespace
    match offer.kind:
        case "function":
            return {"type": "function_call", "arguments": arguments, **named}
        case "custom":
            return {"type": "custom_tool_call", "input": custom_input(arguments), **named}
        case "local_shell":
            return {"type": "local_shell_call", "action": _local_shell_action(arguments)}
        case "shell":
            return {"type": "shell_call", "action": _shell_action(arguments), "environment": None}
        case "apply_patch":
            return {"type": "apply_patch_call", "operation": _patch_operation(arguments)}
        case "tool_search":
            searched = dict(_fields(arguments))
            return {"type": "tool_search_call", "execution": "client", "arguments": searched}


def _local_shell_action(arguments: str) -> dict[str, Any]:
    """`openai.types.responses.response_output_item.LocalShellCallAction`.

    The model may give a line for a shell in place of a program and its arguments.
    """
    given = _fields(arguments)
    command, env = given.get("command"), given.get("env")
    return {
        "type": "exec",
        "command": ["bash", "-lc", command] if isinstance(command, str) else _strings(command),
        "env": {key: value for key, value in _pairs(env) if isinstance(value, str)},
        "timeout_ms": _integer(given.get("timeout_ms")),
        "user": None,
        "working_directory": _string(given.get("working_directory")),
    }


def _shell_action(arguments: str) -> dict[str, Any]:
    given = _fields(arguments)
    commands = given.get("commands", given.get("command"))
    return {
        "commands": [commands] if isinstance(commands, str) else _strings(commands),
        "timeout_ms": _integer(given.get("timeout_ms")),
        "max_output_length": _integer(given.get("max_output_length")),
    }


def _patch_operation(arguments: str) -> dict[str, Any]:
    given = _fields(arguments)
    inner = given.get("operation")
    operation = inner if isinstance(inner, dict) else given
    kind = _string(operation.get("type")) or "update_file"
    path = _string(operation.get("path")) or ""
    if kind == "delete_file":
        return {"type": kind, "path": path}
    return {"type": kind, "path": path, "diff": _string(operation.get("diff")) or ""}


def _parsed(arguments: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return None


def _fields(arguments: str) -> Mapping[str, Any]:
    value = _parsed(arguments)
    return value if isinstance(value, dict) else {}


def _pairs(value: Any) -> Sequence[tuple[str, Any]]:  # noqa: ANN401
    return tuple(value.items()) if isinstance(value, dict) else ()


def _strings(value: Any) -> list[str]:  # noqa: ANN401
    return [str(item) for item in value] if isinstance(value, list) else []


def _string(value: Any) -> str | None:  # noqa: ANN401
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:  # noqa: ANN401
    return value if isinstance(value, int) and not isinstance(value, bool) else None
