"""Leaves out tools of the client, and gives others another name.

    tool_filter: {allow: ["*"], deny: ["shell_*"], rename: {search: web_search}}

The model sees the new names, in the history too; the client sees its own, in the answer too.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Final

from pydantic import BaseModel, Field

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.errors import InvalidRequest
from gateway.streams import EventSource
from gateway.types import ChatRequest, Message, PartStart, StreamEvent, ToolCall, ToolChoice
from gateway.yaml_file.trust import NeedsTrust

NAME: Final = "tool_filter"


class ToolFilterConfig(BaseModel):
    """The section `tool_filter`: patterns with `*`, and new names, by the client's names."""

    allow: tuple[str, ...] = ("*",)
    deny: tuple[str, ...] = ()
    rename: Annotated[
        dict[str, str], NeedsTrust("has the client run another tool than the model named")
    ] = Field(default_factory=dict)

    def takes(self, name: str) -> bool:
        """Whether a tool of that name may be offered; `deny` comes before `allow`."""
        return _any_matches(self.allow, name) and not _any_matches(self.deny, name)


def _any_matches(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@hookimpl
def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
    register(NAME, ToolFilterConfig)


@hookimpl
def gateway_transform_request(request: ChatRequest, ctx: RequestContext) -> ChatRequest | None:
    """Filter, then rename. Raises `InvalidRequest` if two tools would have one name."""
    if not ctx.gateway.config.enabled(NAME):
        return None
    config = ctx.gateway.config.section(NAME, ToolFilterConfig)
    kept = [tool for tool in request.tools if config.takes(tool.name)]
    renamed = {tool.name: config.rename[tool.name] for tool in kept if tool.name in config.rename}
    tools = tuple(replace(tool, name=renamed.get(tool.name, tool.name)) for tool in kept)
    names = [tool.name for tool in tools]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidRequest(f"Two tools would be named {twice[0]!r} here.", param="tools")
    return replace(
        request,
        tools=tools,
        tool_choice=_choice(request.tool_choice, renamed, names),
        messages=tuple(_with_names(message, config.rename) for message in request.messages),
        extensions={**request.extensions, NAME: {new: old for old, new in renamed.items()}},
    )


def _choice(choice: ToolChoice, renamed: Mapping[str, str], names: list[str]) -> ToolChoice:
    wanted = [renamed.get(name, name) for name in choice.names]
    offered = tuple(name for name in wanted if name in names)
    if choice.mode == "required" and (not names or (wanted and not offered)):
        raise InvalidRequest(
            "A tool call is required, but the gateway's filter removes the tools.",
            param="tool_choice",
        )
    if choice.names and not offered:
        return replace(choice, mode="none", names=())
    return replace(choice, names=offered)


def _with_names(message: Message, names: Mapping[str, str]) -> Message:
    return replace(
        message,
        parts=tuple(
            replace(part, name=names.get(part.name, part.name))
            if isinstance(part, ToolCall)
            else part
            for part in message.parts
        ),
    )


@hookimpl
def gateway_wrap_stream(stream: EventSource, request: ChatRequest) -> EventSource | None:
    """Calls of renamed tools go to the client under its own names."""
    names = request.extensions.get(NAME)
    return _with_own_names(stream, names) if names else None


async def _with_own_names(
    stream: EventSource, names: Mapping[str, str]
) -> AsyncGenerator[StreamEvent]:
    async for event in stream:
        match event:
            case PartStart(part=ToolCall(name=name) as call) if name in names:
                yield replace(event, part=replace(call, name=names[name]))
            case _:
                yield event
