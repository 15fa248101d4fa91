"""Whether the CLI has all tools that it was offered. It is asked before the model is.

Each turn begins with a list of its tools as well (`system`/`init`), but the first one's comes when
the model is about to be asked, too late to stop it (seen with 2.1.330).
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import anyio

from gateway.load.off_loop import off_loop
from gateway.types import Tool
from gateway_claude_code.channel.mcp_bridge import McpBridge
from gateway_claude_code.process.command import MCP_SERVER
from gateway_claude_code.process.launch import Program
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.canonical import Digest, LatestDigests

CONNECT_SECONDS: Final = 10
"""How long the CLI may take to fetch the tools (2.1.330 tries again for a second or two where a list
is malformed). Then the model is asked, and the list that its turn begins with tells."""
POLL_SECONDS: Final = 0.01

TOOL_SETS: Final = 256
"""Of so many sets of tools it is remembered that the CLI has taken them."""

AskCli: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[Line]]


async def check_tools(ask: AskCli, bridge: McpBridge) -> None:
    """Wait until the CLI has the tools, and compare them with those of the bridge.

    A CLI that does not know the question has none to say. Raises `InvalidRequest` for a tool that
    is missing.
    """
    with anyio.move_on_after(CONNECT_SECONDS):
        while True:
            response = await ask({"subtype": "mcp_status"})
            status = response.get("response")
            if not isinstance(status, dict) or not isinstance(status.get("mcpServers"), list):
                return
            kept = tools_in_status(status)
            if kept is not None:
                bridge.check(kept)
                return
            await anyio.sleep(POLL_SECONDS)


class ChecksTools(Protocol):
    """A conversation, as far as it matters here."""

    async def check_tools(self) -> None:
        """Raise `InvalidRequest` for a tool that the CLI did not take."""


class CheckedTools:
    """Has each set of tools checked once, as it takes some tenths of a second (2.1.330)."""

    def __init__(self) -> None:
        self._program: Program | None = None
        self._taken = LatestDigests(TOOL_SETS)

    def notice(self, program: Program) -> None:
        """This CLI runs now; of another one nothing is known."""
        if program != self._program:
            self._program, self._taken = program, LatestDigests(TOOL_SETS)

    async def check(self, conversation: ChecksTools, tools: Sequence[Tool], size: int) -> None:
        """Check those of a conversation, which come from `size` bytes. Raises `InvalidRequest`."""
        digest = await off_loop(size, tools_digest, tools)
        if digest not in self._taken:
            await conversation.check_tools()
            self._taken.add(digest)


def tools_digest(tools: Sequence[Tool]) -> Digest:
    """Of the names and schemas of tools."""
    hashed = hashlib.blake2b(digest_size=20)
    for tool in tools:
        hashed.update(json.dumps([tool.name, dict(tool.schema)]).encode("ascii"))
    return hashed.digest()


def tools_in_status(status: Mapping[str, Any]) -> list[str] | None:
    """The client's tools in the answer to `mcp_status`, as the model would see them.

    None while the CLI is still connecting: first it does not name the server at all.
    """
    for found in status["mcpServers"]:
        if found.get("name") == MCP_SERVER and found.get("status") != "pending":
            names = (str(tool.get("name")) for tool in found.get("tools") or ())
            return [f"mcp__{MCP_SERVER}__{name}" for name in names]
    return None
