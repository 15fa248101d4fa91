"""The gateway's tools as a plugin. Without `plugins.tools.offer` in the YAML it does nothing."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import anyio
from pydantic import BaseModel

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.errors import ConfigurationError, ModelNotFound
from gateway.interface import Gateway
from gateway.machine.installation import command_for_extra
from gateway.streams import EventSource
from gateway.tools import ServedTool
from gateway.types import ChatRequest
from gateway_tools.config import SECTION, McpServerConfig, ToolsConfig
from gateway_tools.mcp_server import McpServer
from gateway_tools.memory import Memory
from gateway_tools.offer import EXTENSION, offered, with_tools
from gateway_tools.run import Runner
from gateway_tools.serve import Service


class ToolsPlugin:
    """Offers tools, and runs the model's calls of them. One object for each gateway."""

    def __init__(self) -> None:
        self._config = ToolsConfig()
        self._service: Service | None = None
        self._registered: list[ServedTool] = []
        self._servers: list[McpServer] = []

    @property
    def _tools(self) -> Iterator[ServedTool]:
        """All tools at the moment; of one name, the first."""
        yield from self._registered
        for server in self._servers:
            yield from server.tools

    @hookimpl
    def gateway_register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        """The section `tools`."""
        register(SECTION, ToolsConfig)

    @hookimpl
    def gateway_ready(self, gateway: Gateway) -> None:
        """Check the offered tools, and the models that get them."""
        config = gateway.config.section(SECTION, ToolsConfig)
        self._config, self._registered = config, list(gateway.tools)
        check_offer(config, gateway)
        self._servers = mcp_servers(config, gateway.config.path)
        self._service = Service(
            config=config, runner=Runner(config), memory=Memory(config.remember)
        )

    @hookimpl
    def gateway_lifespan(self, gateway: Gateway) -> AbstractAsyncContextManager[None] | None:
        """The MCP servers, if there are any."""
        return self._serving() if self._servers else None

    @asynccontextmanager
    async def _serving(self) -> AsyncGenerator[None]:
        async with anyio.create_task_group() as tasks:
            for server in self._servers:
                tasks.start_soon(server.run)
            with anyio.move_on_after(self._config.start_seconds):
                for server in self._servers:
                    await server.first_try.wait()
            yield
            tasks.cancel_scope.cancel()

    @hookimpl
    def gateway_health(self) -> dict[str, Any] | None:
        """Which MCP servers are there, if there should be any."""
        if not self._servers:
            return None
        states = {server.name: server.state for server in self._servers}
        lost = any(state != "connected" for state in states.values())
        return {"status": "lost" if lost else "ok", "mcp_servers": states}

    @hookimpl(trylast=True)
    def gateway_transform_request(
        self, request: ChatRequest, ctx: RequestContext
    ) -> ChatRequest | None:
        """After all other changes: the tools, and the earlier calls that the client never saw."""
        if self._service is None or ctx.target is None:
            return None
        tools = offered(self._config.offer, self._tools, request, ctx.target)
        return with_tools(self._service.memory.restored(request), tools) if tools else None

    @hookimpl(tryfirst=True)
    def gateway_wrap_stream(
        self, stream: EventSource, request: ChatRequest, ctx: RequestContext
    ) -> EventSource | None:
        """Innermost, so that others see the answer as the client does."""
        tools = request.extensions.get(EXTENSION)
        if self._service is None or not tools:
            return None
        return self._service.serve(stream, request, ctx, tools)


def mcp_servers(config: ToolsConfig, path: Path | None) -> list[McpServer]:
    """The servers of the configuration at `path`.

    Raises `ConfigurationError` without the package `mcp`.
    """
    if not config.mcp_servers:
        return []
    try:
        from gateway_tools.mcp_client import connector  # noqa: PLC0415 - only where it is wanted
    except ImportError as error:
        raise ConfigurationError(
            f"plugins.tools.mcp_servers requires more packages ({error}); add them with: "
            f"`{command_for_extra('mcp')}`"
        ) from None
    return [
        McpServer(name, connector(_in_a_folder(server, path)))
        for name, server in config.mcp_servers.items()
    ]


def _in_a_folder(server: McpServerConfig, path: Path | None) -> McpServerConfig:
    """Commands run beside the YAML, and not in the current folder: `npx` and
    `python -m` run code that lies there."""
    if not server.command:
        return server
    beside = path.absolute().parent if path is not None else Path.home()
    return server.model_copy(update={"directory": beside / (server.directory or "")})


def check_offer(config: ToolsConfig, gateway: Gateway) -> None:
    """Reject unknown tools, and unknown models to offer them to. Raises `ConfigurationError`."""
    names = [tool.name for tool in gateway.tools]
    for model, patterns in config.offer.items():
        where = ("plugins", SECTION, "offer", model)
        if "*" not in model:
            try:
                gateway.resolve(model)
            except ModelNotFound:
                what, names_there = f"unknown model {model!r}", gateway.models.names
                raise gateway.config.error(where, what, model, names_there) from None
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names) and not any(
                pattern.startswith(f"{server}_") or fnmatchcase(f"{server}_", pattern)
                for server in config.mcp_servers
            ):
                what = f"unknown tool {pattern!r}"
                raise gateway.config.error((*where, pattern), what, pattern, names)
