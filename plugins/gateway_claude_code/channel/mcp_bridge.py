"""The client's tools as an MCP server on the CLI's own pipe.

The CLI asks by control lines (`mcp_message`), and gets JSON-RPC back. MCP specification
2025-06-18 and later: initialize, tools/list, tools/call.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.errors import InvalidRequest
from gateway.types import Tool
from gateway_claude_code.protocol import Block, Line, mcp_response
from gateway_claude_code.request.prepare import Prepared
from gateway_claude_code.request.tools.tool_names import ToolNames

DEFAULT_PROTOCOL: Final = "2025-06-18"
METHOD_NOT_FOUND: Final = -32601


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCall:
    """A `tools/call` that waits for the client: the ids of the control line and of JSON-RPC."""

    request_id: str
    rpc_id: Any


class McpBridge:
    """Answers what can be answered at once, and keeps the calls, which can't.

    `listed`: the CLI has asked for the tools.
    """

    def __init__(self, tools: Sequence[Tool], names: ToolNames) -> None:
        self._tools = tools
        self._names = names
        self._inner = frozenset(names.inner(tool.name) for tool in tools)
        self._pending: dict[str, PendingCall] = {}
        self.listed = False
        self.left_out: tuple[str, ...] = ()
        """The gateway's own tools that the CLI did not take, once it said so."""

    def take(self, line: Line) -> Line | None:
        """The answer to a control line of the CLI, or None if it has to wait."""
        request_id = str(line.get("request_id"))
        message = line.get("request", {}).get("message", {})
        method = message.get("method")
        match method:
            case "initialize":
                result = self._initialize(message.get("params", {}))
            case "tools/list":
                self.listed = True
                result = {"tools": [self._describe(tool) for tool in self._tools]}
            case "tools/call" if (name := message["params"].get("name")) not in self._inner:
                # of an earlier conversation, as the CLI keeps tools that were once sent (2.1.330)
                text = {"type": "text", "text": f"No such tool available: {name}"}
                result = {"content": [text], "isError": True}
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

    def check(self, kept: Collection[str]) -> None:
        """Compare the tools that the CLI has, as it names them, with those that were offered.

        It leaves out without a word what it can't use (2.1.330). Raises `InvalidRequest` for a tool
        of the client's; the gateway's own are noted in `left_out`.
        """
        has = frozenset(kept)
        missing = [tool for tool in self._tools if self._names.to_model(tool.name) not in has]
        of_client = [tool for tool in missing if tool.place is not None]
        if of_client:
            raise left_out(of_client)
        self.left_out = tuple(tool.name for tool in missing)

    def forget_calls(self) -> None:
        """The calls that wait are no longer part of a conversation."""
        self._pending = {}

    def waits_for(self, call_ids: Collection[str]) -> bool:
        """Whether exactly these calls wait for their results."""
        return self._pending.keys() == set(call_ids)

    def answers(self, results: Mapping[str, Sequence[Block]]) -> list[Line]:
        """The lines that give the results of the calls that wait, by their ids: MCP content."""
        pending, self._pending = self._pending, {}
        return [
            mcp_response(
                pending[call_id].request_id,
                {"jsonrpc": "2.0", "id": pending[call_id].rpc_id, "result": {"content": content}},
            )
            for call_id, content in results.items()
        ]

    def _keep(self, request_id: str, message: dict[str, Any]) -> None:
        call_id = message.get("params", {}).get("_meta", {}).get("claudecode/toolUseId")
        self._pending[str(call_id)] = PendingCall(request_id=request_id, rpc_id=message.get("id"))

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


def left_out(tools: Sequence[Tool]) -> InvalidRequest:
    """The error for tools of the client's that the model would not have."""
    names = ", ".join(repr(tool.name) for tool in tools)
    places = ", ".join(str(tool.place) for tool in tools)
    return InvalidRequest(
        f"The Claude Code CLI does not accept the schema of {names}, so the model would not get "
        f"{'the tool' if len(tools) == 1 else 'these tools'}. Simplify {places}.",
        param=tools[0].place,
    )


def bridge_of(prepared: Prepared) -> McpBridge | None:
    """The server of a request's tools, if it has any."""
    return McpBridge(prepared.tools, prepared.names) if prepared.tools else None
