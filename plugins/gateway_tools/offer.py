"""Which tools a request is offered, and the request with them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from gateway.tools import ServedTool
from gateway.types import ChatRequest, Target, Tool, ToolChoice

EXTENSION: Final = "tools"
"""The key in `ChatRequest.extensions` under which a request's tools of the gateway are."""


def offered(
    offer: Mapping[str, Iterable[str]],
    tools: Iterable[ServedTool],
    request: ChatRequest,
    target: Target,
) -> dict[str, ServedTool]:
    """The tools for this request. One that the client has under the same name is the client's."""
    patterns = [
        pattern
        for model, names in offer.items()
        if fnmatchcase(request.model, model) or fnmatchcase(target.model, model)
        for pattern in names
    ]
    taken = {tool.name for tool in request.tools}
    found: dict[str, ServedTool] = {}
    for tool in tools:
        if tool.name not in taken and any(fnmatchcase(tool.name, pattern) for pattern in patterns):
            found.setdefault(tool.name, tool)
    return found


def with_tools(request: ChatRequest, served: Mapping[str, ServedTool]) -> ChatRequest:
    """The request with the gateway's tools beside the client's own."""
    added = tuple(
        Tool(name=tool.name, description=tool.description, schema=tool.schema)
        for tool in served.values()
    )
    return replace(
        request,
        tools=(*request.tools, *added),
        tool_choice=_choice(request, tuple(served)),
        extensions={**request.extensions, EXTENSION: served},
    )


def _choice(request: ChatRequest, added: tuple[str, ...]) -> ToolChoice:
    """A call that the client requires is one of its own tools; otherwise all may be called."""
    choice = request.tool_choice
    if choice.mode == "required" and not choice.names:
        return replace(choice, names=tuple(tool.name for tool in request.tools))
    if choice.mode == "auto" and choice.names:
        return replace(choice, names=(*choice.names, *added))
    return choice
