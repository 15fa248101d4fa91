"""The client's tools as an MCP server on the CLI's own pipe.

The CLI asks by control lines (`mcp_message`), and gets JSON-RPC back. MCP specification
2025-06-18 and later: initialize, tools/list, tools/call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.types import Tool
from gateway_claude_code.protocol import Line, mcp_response
from gateway_claude_code.tool_names import ToolNames

DEFAULT_PROTOCOL: Final = "2025-06-18"
METHOD_NOT_FOUND: Final = -32601


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCall:
    """A `tools/call` that waits for the client. `call_id` is the id of the model's tool use."""

    request_id: str
    rpc_id: Any
    call_id: str | None
    name: str


class McpBridge:
    """Answers what can be answered at once, and keeps the calls, which can't."""

    def __init__(self, tools: Sequence[Tool], names: ToolNames) -> None:
        self._tools = tools
        self._names = names
        self.pending: list[PendingCall] = []

    def take(self, line: Line) -> Line | None:
        """The answer to a control line of the CLI, or None if it has to wait."""
        request_id = str(line.get("request_id"))
        message = line.get("request", {}).get("message", {})
        method = message.get("method")
        match method:
            case "initialize":
                result = self._initialize(message.get("params", {}))
            case "tools/list":
                result = {"tools": [self._describe(tool) for tool in self._tools]}
            case "tools/call":
                self._keep(request_id, message)
                return None
            case _ if "id" not in message or method == "ping":
                result = {}
            case _:
                error = {"code": METHOD_NOT_FOUND, "message": f"no method {method}"}
                return mcp_response(
                    request_id, {"jsonrpc": "2.0", "id": message["id"], "error": error}
                )
        return mcp_response(
            request_id, {"jsonrpc": "2.0", "id": message.get("id"), "result": result}
        )

    def _keep(self, request_id: str, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        self.pending.append(
            PendingCall(
                request_id=request_id,
                rpc_id=message.get("id"),
                call_id=params.get("_meta", {}).get("claudecode/toolUseId"),
                name=str(params.get("name")),
            )
        )

    def _initialize(self, params: dict[str, Any]) -> dict[str, Any]:
        return {
            "protocolVersion": params.get("protocolVersion", DEFAULT_PROTOCOL),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "client-tools", "version": "1"},
        }

    def _describe(self, tool: Tool) -> dict[str, Any]:
        # read-only, so that the CLI asks for all of a turn's calls at once
        return {
            "name": self._names.inner(tool.name),
            "description": tool.description,
            "inputSchema": dict(tool.schema),
            "annotations": {"readOnlyHint": True},
        }
