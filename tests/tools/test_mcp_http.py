"""An MCP server that is reached over HTTP, on loopback."""

import socket
import threading
from collections.abc import Iterator

import anyio
import pytest
import uvicorn
from mcp.server import MCPServer
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.types import Text
from gateway_tools.config import McpServerConfig
from gateway_tools.mcp_client import connector
from gateway_tools.mcp_server import McpServer


class Keys:
    """Passes requests on, and keeps the keys that came with them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: set[bytes | None] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.seen.add(dict(scope["headers"]).get(b"authorization"))
        await self.app(scope, receive, send)


@pytest.fixture
def adding() -> Iterator[tuple[str, Keys]]:
    """The address of a server with one tool, and the keys that it was shown."""
    server = MCPServer("adding")

    @server.tool()
    def add(a: int, b: int) -> int:
        """Adds."""
        return a + b

    keys = Keys(server.streamable_http_app())
    config = uvicorn.Config(keys, log_config=None, log_level="warning", ws="none")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", keys
        running.should_exit = True
        thread.join(10)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("no-such-command", "the command 'no-such-command' is not on PATH"),
        ("/no/such/program", "the program '/no/such/program' does not exist"),
    ],
)
async def test_a_program_that_is_not_there_is_named(program: str, said: str) -> None:
    with pytest.raises(FileNotFoundError, match=said):
        async with connector(McpServerConfig(command=(program,)))():
            pass


async def test_a_tool_is_called_over_http(adding: tuple[str, Keys]) -> None:
    url, keys = adding
    config = McpServerConfig(url=url, headers={"authorization": "Bearer k"})
    server = McpServer("calc", connector(config))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run)
        with anyio.fail_after(10):
            await server.first_try.wait()
            [tool] = server.tools
            assert (tool.name, tool.description) == ("calc_add", "Adds.")
            assert await tool.call('{"a": 1, "b": 2}') == (Text(text="3"),)
        tasks.cancel_scope.cancel()
    assert keys.seen == {b"Bearer k"}
