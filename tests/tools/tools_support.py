"""What the tests of tools are made of: plugins, calls, requests."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.pipeline.gateway import CoreGateway
from gateway.streams import collect
from gateway.testing import answer, part
from gateway.tools import ServedTool
from gateway.types import (
    ChatRequest,
    ChatResponse,
    Message,
    StreamEvent,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)


def offering(*tools: Callable[..., Any] | ServedTool) -> object:
    """A plugin that registers these."""

    def gateway_register_tools(register: Callable[[Any], None]) -> None:
        for tool in tools:
            register(tool)

    return SimpleNamespace(gateway_register_tools=hookimpl(gateway_register_tools))


def clock(zone: str = "UTC") -> str:
    """What time it is in a zone."""
    return f"noon in {zone}"


def calling(
    *calls: tuple[str, str, str], text: str = "", usage: Usage | None = None
) -> list[StreamEvent]:
    """An answer that calls: the id, name and arguments of each."""
    parts = [part(0, Text(text=""), text)] if text else []
    for call_id, name, arguments in calls:
        parts.append(part(len(parts), ToolCall(id=call_id, name=name, arguments=""), arguments))
    return answer(*parts, stop_reason="tool_calls", usage=usage)


def asking(*messages: Message, tools: Sequence[str] = (), **more: Any) -> ChatRequest:
    """A request; without messages it says Hi. `tools` are the client's own."""
    said = messages or (user(Text(text="Hi")),)
    offered = tuple(Tool(name=name) for name in tools)
    return ChatRequest(model="test-model", messages=said, tools=offered, **more)


def user(*parts: Text | ToolResult) -> Message:
    return Message(role="user", parts=parts)


def assistant(*parts: Text | ToolCall) -> Message:
    return Message(role="assistant", parts=parts)


def result(call_id: str, text: str, *, is_error: bool = False) -> ToolResult:
    return ToolResult(call_id=call_id, parts=(Text(text=text),), is_error=is_error)


async def ask(gateway: CoreGateway, request: ChatRequest) -> ChatResponse:
    return await collect(await gateway.open(request, RequestContext(request_id="r-1")))
