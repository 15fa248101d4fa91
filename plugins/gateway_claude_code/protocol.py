"""The lines of the CLI's stream-json protocol, as values. Pure.

Seen with CLI 2.1.197 and 2.1.330; `apply_flag_settings` and `initialize` are what the Agent SDK
uses as well.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from gateway.errors import BackendFailed
from gateway.load.off_loop import LARGE_BYTES

Line: TypeAlias = dict[str, Any]
Block: TypeAlias = dict[str, Any]


def encode_line(line: Line) -> bytes:
    """One line of input. JSON escapes keep U+2028 and lone control characters off the pipe."""
    return json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"


def rough_size(line: Line) -> int:
    """About how many bytes a line has, and no more than is needed to call it large."""
    size = 0
    rest: list[Any] = [line]
    while rest and size <= LARGE_BYTES:
        value = rest.pop()
        if isinstance(value, Mapping):
            rest.extend(value.values())
        elif isinstance(value, list | tuple):
            rest.extend(value)
        size += len(value) if isinstance(value, str | Mapping | list | tuple) else 1
    return size


def parse_line(raw: bytes) -> Line:
    """One line of output. Raises `BackendFailed` for anything but a JSON object."""
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or not _is_well_formed(line):
        raise BackendFailed("the Claude Code CLI wrote an invalid line")
    return line


def _is_well_formed(line: Line) -> bool:
    # a system line's message, as of a denied permission, is a text for people
    keys = ("request", "response", "event", *(() if line.get("type") == "system" else ("message",)))
    objects = (line.get(key, {}) for key in keys)
    return isinstance(line.get("type"), str) and all(isinstance(value, dict) for value in objects)


def control_request(request_id: str, request: Mapping[str, Any]) -> Line:
    """A control line; the CLI answers it with `control_response` of the same id."""
    return {"type": "control_request", "request_id": request_id, "request": dict(request)}


def initialize(
    request_id: str,
    system: str,
    mcp_servers: Sequence[str] = (),
    json_schema: Mapping[str, Any] | None = None,
) -> Line:
    """Once per process, before the first message. An empty `system` replaces the CLI's own too."""
    request: dict[str, Any] = {"subtype": "initialize", "systemPrompt": [system]}
    if mcp_servers:
        request["sdkMcpServers"] = list(mcp_servers)
    if json_schema is not None:
        request["jsonSchema"] = dict(json_schema)
    return control_request(request_id, request)


def apply_settings(request_id: str, settings: Mapping[str, Any]) -> Line:
    """Settings that hold from the next upstream request on."""
    return control_request(
        request_id, {"subtype": "apply_flag_settings", "settings": dict(settings)}
    )


def rewind(target: str, last: str) -> dict[str, Any]:
    """A control request: cut the conversation before the user line `target`, whatever goes on.

    `last` is the newest user line; without it, a target with others after it is refused. The answer
    has `rewound`, and `prefillText` with the text that was cut, which must not be logged. All lines
    before it belong to what was cut (seen with 2.1.330; undocumented).
    """
    return {
        "subtype": "rewind_conversation",
        "target_message_uuid": target,
        "last_seen_user_message_uuid": last,
        "interrupt_if_running": True,
    }


def set_servers(names: Sequence[str]) -> dict[str, Any]:
    """A control request: exactly these MCP servers on our side of the pipe, from the next turn on.

    One that is there already is not asked for its tools again. It ends calls that wait (seen with
    2.1.330; undocumented).
    """
    servers = {name: {"type": "sdk", "name": name} for name in names}
    return {"subtype": "mcp_set_servers", "servers": servers}


def user_line(blocks: Sequence[Block], *, query: bool, uuid: str | None = None) -> Line:
    """A user turn. Without `query` it is only added to the history.

    `client_composed` has the text delivered as it is written, slash commands and file mentions
    included (seen with 2.1.330; 2.1.197 passes over it). `uuid` names the line for `rewind`; one
    that was used before, also for a line that was cut, has the line dropped in silence (2.1.330).
    """
    message = {"role": "user", "content": list(blocks)}
    line: Line = {"type": "user", "message": message, "client_composed": True}
    if uuid is not None:
        line["uuid"] = uuid
    if not query:
        line["shouldQuery"] = False
    return line


def assistant_line(blocks: Sequence[Block], message_id: str) -> Line:
    """An assistant turn of the history. The CLI merges those that share a `message_id`."""
    message = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "content": list(blocks),
    }
    return {"type": "assistant", "message": message}


def mcp_response(request_id: str, message: Mapping[str, Any]) -> Line:
    """The answer to a `control_request` of subtype `mcp_message`."""
    return {
        "type": "control_response",
        "response": {
            "subtype": "success",
            "request_id": request_id,
            "response": {"mcp_response": dict(message)},
        },
    }
