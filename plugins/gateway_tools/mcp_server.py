"""The tools of one MCP server: there while it is, and again after it was lost."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, Protocol, TypeAlias

import anyio

from gateway.tools import TOOL_NAME, ServedTool, ToolFailed, ToolParts
from gateway.yaml_file.wording import one_line

log = logging.getLogger("gateway_tools")

FIRST_PAUSE: Final = 1
LONGEST_PAUSE: Final = 60
LOOK_SECONDS: Final = 15
"""How often an idle server is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTool:
    """A tool as its server describes it."""

    name: str
    description: str
    schema: Mapping[str, Any]


class ConnectionLost(Exception):
    """The server is gone; it has to be started or reached anew."""


class Connection(Protocol):
    """An open connection. All methods raise `ConnectionLost`."""

    async def tools(self) -> Sequence[RemoteTool]:
        """The server's tools."""

    async def call(self, name: str, arguments: str) -> ToolParts:
        """The result. Raises `ToolFailed` for an error that the server tells of."""

    async def look(self) -> None:
        """Raise if the server disconnected."""


Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]


class McpServer:
    """Keeps a connection while `run` runs. `tools` are those last seen, so that they stay the
    same for a conversation while a server is started again. `first_try` is set when the first
    attempt has ended, well or not."""

    def __init__(
        self,
        name: str,
        connect: Connect,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.name = name
        self.tools: tuple[ServedTool, ...] = ()
        self.first_try = anyio.Event()
        self._connect = connect
        self._sleep = sleep
        self._connection: Connection | None = None
        self._lost = anyio.Event()

    @property
    def state(self) -> Literal["connected", "lost"]:
        """Whether the tools can be called now."""
        return "lost" if self._connection is None else "connected"

    async def run(self) -> None:
        """Connect, and connect anew whenever the server is lost; until cancelled."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._connect() as connection:
                    self.tools = self._served(await connection.tools())
                    self._connection, self._lost = connection, anyio.Event()
                    self.first_try.set()
                    pause = FIRST_PAUSE
                    await self._until_lost(connection)
            except Exception as error:  # noqa: BLE001 - whatever it is, it may be over the next time
                log.warning("the MCP server %r: %s", self.name, _first(error))
            finally:
                self._connection = None
                self.first_try.set()
            await self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _until_lost(self, connection: Connection) -> None:
        while not self._lost.is_set():
            with anyio.move_on_after(LOOK_SECONDS):
                await self._lost.wait()
                return
            await connection.look()

    def _served(self, tools: Sequence[RemoteTool]) -> tuple[ServedTool, ...]:
        served = {}
        for tool in tools:
            name = re.sub(r"[^a-zA-Z0-9_-]", "_", f"{self.name}_{tool.name}")
            if not TOOL_NAME.fullmatch(name) or name in served:
                log.warning(
                    "the MCP server %r: skipping the tool %r, whose name is too long or taken",
                    self.name,
                    tool.name,
                )
                continue
            call = partial(self._call, tool.name)
            served[name] = ServedTool(
                name=name, description=tool.description, schema=tool.schema, call=call
            )
        return tuple(served.values())

    async def _call(self, tool: str, arguments: str) -> ToolParts:
        if self._connection is None:
            raise ToolFailed(f"the tool's server {self.name!r} is not connected")
        lost = self._lost
        try:
            return await self._connection.call(tool, arguments)
        except ConnectionLost:
            lost.set()
            raise ToolFailed(
                f"the tool's server {self.name!r} disconnected during the call"
            ) from None


def _first(error: BaseException) -> str:
    """The first error of a group that is not a group itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {one_line(error)}"
