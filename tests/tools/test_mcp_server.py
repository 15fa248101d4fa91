"""MCP servers whose tools are offered: named in the YAML, connected, lost, and connected again."""

import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp_types import (
    AudioContent,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)
from pydantic import ValidationError

from gateway.errors import ConfigurationError
from gateway.http.app import create_app
from gateway.pipeline.gateway import CoreGateway
from gateway.testing import ScriptedBackend
from gateway.tools import ToolFailed, ToolParts
from gateway.types import Image, Text
from gateway_tools.config import McpServerConfig
from gateway_tools.mcp_client import part_of
from gateway_tools.mcp_server import Connection, ConnectionLost, McpServer, RemoteTool
from tests.tools.tools_support import ask, asking, clock, offering

ToolGateway = Callable[..., CoreGateway]


class FakeServer:
    """A server that refuses the first `refusals` connections. `pauses` are those between tries."""

    def __init__(self, *names: str, refusals: int = 0) -> None:
        self.names = names
        self.refusals = refusals
        self.gone = False
        self.open = 0
        self.opened = 0
        self.pauses: list[float] = []

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Connection]:
        if self.refusals:
            self.refusals -= 1
            raise OSError("no such program")
        self.gone = False
        self.open += 1
        self.opened += 1
        try:
            yield self
        finally:
            self.open -= 1

    async def tools(self) -> Sequence[RemoteTool]:
        return [RemoteTool(name=name, description="", schema={}) for name in self.names]

    async def call(self, name: str, arguments: str) -> ToolParts:
        if self.gone:
            raise ConnectionLost
        return (Text(text=f"{name} {arguments}"),)

    async def look(self) -> None:
        if self.gone:
            raise ConnectionLost

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def running(fake: FakeServer) -> AsyncGenerator[McpServer]:
    server = McpServer("files", fake.connect, fake.sleep)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run)
        await server.first_try.wait()
        yield server
        tasks.cancel_scope.cancel()


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():
            await anyio.lowlevel.checkpoint()


async def test_its_tools_have_its_name_and_are_called_by_theirs() -> None:
    fake = FakeServer("read.file", "x" * 70, "list")
    async with running(fake) as server:
        assert [tool.name for tool in server.tools] == ["files_read_file", "files_list"]
        assert await server.tools[0].call('{"a":1}') == (Text(text='read.file {"a":1}'),)
        assert server.state == "connected"
    assert fake.open == 0
    assert server.state == "lost"


async def test_one_that_does_not_start_is_tried_again_and_ever_more_seldom() -> None:
    fake = FakeServer("list", refusals=8)
    async with running(fake) as server:
        await until(lambda: server.state == "connected")
    assert fake.pauses == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_one_that_is_lost_is_connected_again() -> None:
    fake = FakeServer("list")
    async with running(fake) as server:
        [tool] = server.tools
        fake.gone = True
        with pytest.raises(ToolFailed, match="'files' disconnected during the call"):
            await tool.call("{}")
        await until(lambda: fake.opened == 2 and server.state == "connected")
        assert await tool.call("{}") == (Text(text="list {}"),)


async def test_while_it_is_lost_its_tools_say_so() -> None:
    fake = FakeServer("list")
    async with running(fake) as server:
        pass
    with pytest.raises(ToolFailed, match="'files' is not connected"):
        await server.tools[0].call("{}")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (TextContent(type="text", text="a"), Text(text="a")),
        (
            ImageContent(type="image", data="QQ==", mime_type="image/png"),
            Image(media_type="image/png", data="QQ=="),
        ),
        (
            EmbeddedResource(
                type="resource", resource=TextResourceContents(uri="file:///a", text="inside")
            ),
            Text(text="inside"),
        ),
        (
            AudioContent(type="audio", data="QQ==", mime_type="audio/wav"),
            Text(text='{"type":"audio","data":"QQ==","mimeType":"audio/wav"}'),
        ),
    ],
    ids=["text", "image", "resource", "audio"],
)
def test_what_a_result_is_made_of(content: Any, part: Text | Image) -> None:
    assert part_of(content) == part


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ({}, "either a command or a url"),
        ({"command": ["a"], "url": "http://h"}, "either a command or a url"),
        ({"url": "http://h", "environment": {"A": "1"}}, "go with a command"),
        ({"command": ["a"], "headers": {"A": "1"}}, "go with a url"),
        ({"url": "ftp://h"}, "url"),
    ],
    ids=str,
)
def test_a_server_is_a_command_or_a_url(server: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        McpServerConfig.model_validate(server)


async def test_the_tools_of_servers_stand_beside_those_of_plugins(
    tool_gateway: ToolGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the start of the gateway on; of one name, the plugin's comes first."""
    fake = FakeServer("clock", "list")
    monkeypatch.setattr("gateway_tools.mcp_client.connector", lambda config: fake.connect)

    def files_clock() -> str:
        """Mine."""
        return "noon"

    backend = ScriptedBackend()
    tools = {"offer": {"*": ["*"]}, "mcp_servers": {"files": {"command": ["x"]}}}
    gateway = tool_gateway(backend, offering(files_clock), tools=tools)
    app = create_app(gateway)
    async with app.router.lifespan_context(app):
        await ask(gateway, asking())
        assert fake.open == 1
    assert fake.open == 0
    offered = [(tool.name, tool.description) for tool in backend.requests[0].tools]
    assert offered == [("files_clock", "Mine."), ("files_list", "")]


@pytest.mark.parametrize(
    ("directory", "expected"), [(None, ""), ("below", "below"), ("/elsewhere", "/elsewhere")]
)
def test_a_command_runs_beside_the_yaml_and_not_in_the_current_folder(
    directory: str | None,
    expected: str,
    tool_gateway: ToolGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`npx server` and `python -m server` run what lies in the folder in which they start."""
    seen: list[McpServerConfig] = []
    fake = FakeServer("clock", "list")
    monkeypatch.setattr(
        "gateway_tools.mcp_client.connector", lambda config: seen.append(config) or fake.connect
    )
    servers = {"files": {"command": ["npx", "x"], "directory": directory}}
    gateway = tool_gateway(ScriptedBackend(), tools={"mcp_servers": servers})
    create_app(gateway)
    assert gateway.config.path is not None
    beside = gateway.config.path.absolute().parent
    assert {each.directory for each in seen} == {beside / expected}


def test_without_the_package_the_start_says_what_to_install(
    tool_gateway: ToolGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gateway_tools.mcp_client", None)
    with pytest.raises(ConfigurationError, match=r"requires more packages .*; add them with: `.*`"):
        tool_gateway(offering(clock), tools={"mcp_servers": {"files": {"command": ["x"]}}})
