"""A connection to an MCP server, by the official package. Imported only where it is configured."""

import json
import math
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CONNECTION_CLOSED,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

from gateway.tools import ToolFailed, ToolParts
from gateway.types import Image, Text
from gateway_tools.config import McpServerConfig
from gateway_tools.mcp_server import Connect, Connection, ConnectionLost, RemoteTool

CONNECT_SECONDS: Final = 30
LOOK_SECONDS: Final = 10
HTTP_TIMEOUT: Final = httpx2.Timeout(30, read=300)  # a result may be long in coming
MAX_PAGES: Final = 100


def connector(config: McpServerConfig) -> Connect:
    """A function that opens a connection to this server."""
    return partial(_connected, config)


@asynccontextmanager
async def _connected(config: McpServerConfig) -> AsyncGenerator[Connection]:
    # one limit around all of it, lifted once there is a connection: scopes have to be nested
    with anyio.CancelScope(deadline=anyio.current_time() + CONNECT_SECONDS) as limit:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(Client(await _transport(config, stack)))
            limit.deadline = math.inf
            yield _McpConnection(client)
    if limit.cancelled_caught:
        raise TimeoutError(f"no connection within {CONNECT_SECONDS} s")


async def _transport(config: McpServerConfig, stack: AsyncExitStack) -> Any:  # noqa: ANN401
    if config.url is not None:
        http = httpx2.AsyncClient(headers=dict(config.headers), timeout=HTTP_TIMEOUT)
        return streamable_http_client(config.url, http_client=await stack.enter_async_context(http))
    program, *arguments = config.command
    _find(program, config)
    return stdio_client(
        StdioServerParameters(
            command=program,
            args=arguments,
            env=dict(config.environment),
            cwd=config.directory,
        )
    )


def _find(program: str, config: McpServerConfig) -> None:
    """An error that names the missing command, as the system's own does not."""
    if Path(program).name == program:
        if shutil.which(program, path=config.environment.get("PATH")) is None:
            raise FileNotFoundError(f"the command {program!r} is not on PATH")
    elif not Path(config.directory or ".", program).exists():
        raise FileNotFoundError(f"the program {program!r} does not exist")


class _McpConnection:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def tools(self) -> Sequence[RemoteTool]:
        found: list[RemoteTool] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await self._client.list_tools(cursor=cursor)
            found += (
                RemoteTool(
                    name=tool.name, description=tool.description or "", schema=tool.input_schema
                )
                for tool in page.tools
            )
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    async def call(self, name: str, arguments: str) -> ToolParts:
        try:
            values = json.loads(arguments.strip() or "{}")
        except ValueError as error:
            raise ToolFailed(f"the arguments are not JSON: {error}") from None
        if not isinstance(values, dict):
            raise ToolFailed("the arguments are not JSON object")
        try:
            result = await self._client.call_tool(name, values)
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                raise ConnectionLost from error
            raise ToolFailed(str(error)) from error
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise ConnectionLost from error
        parts = tuple(map(part_of, result.content))
        if result.is_error:
            raise ToolFailed("\n".join(part.text for part in parts if isinstance(part, Text)))
        return parts

    async def look(self) -> None:
        try:
            with anyio.fail_after(LOOK_SECONDS):
                await self._client.send_ping()
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                raise ConnectionLost("the server disconnected") from error
            # an answer nevertheless: newer servers know no ping


def part_of(content: ContentBlock) -> Text | Image:
    """A piece of a result; as JSON, if the model can't be shown it as it is."""
    match content:
        case TextContent():
            return Text(text=content.text)
        case ImageContent():
            return Image(media_type=content.mime_type, data=content.data)
        case EmbeddedResource(resource=TextResourceContents() as resource):
            return Text(text=resource.text)
        case _:
            return Text(text=content.model_dump_json(by_alias=True, exclude_none=True))
