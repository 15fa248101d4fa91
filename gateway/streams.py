"""Streams of events: their protocol, closing them, and collecting them into an answer."""

import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from types import AsyncGeneratorType, TracebackType
from typing import Protocol, Self

import anyio

from gateway.errors import BackendFailed
from gateway.types import (
    AnswerPart,
    ChatResponse,
    Citation,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
    WebSearch,
)

__all__ = ["AnswerBuilder", "AnswerStream", "EventSource", "close", "close_all", "collect"]

log = logging.getLogger("gateway.streams")


class EventSource(Protocol):
    """A backend's answer: an async iterator of events that can be closed early.

    Every async generator of `StreamEvent` is one.
    """

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        """Return itself."""

    async def __anext__(self) -> StreamEvent:
        """The next event. Raises `GatewayError`, or `StopAsyncIteration` after the last."""

    async def aclose(self) -> None:
        """Free whatever the answer holds. Called in every case, also after the last event,
        and more than once if the stream was wrapped."""


class AnswerStream(EventSource, Protocol):
    """The answer of `Gateway.open`: watched, bounded in time, and always closed.

    Use it as `async with`, or call `aclose` in a `finally`. Iterating raises `GatewayError`s
    only: `TimedOut` when nothing comes, `BackendFailed` when the stream ends without
    `ResponseEnd` or goes on beyond all measure, `ServerFault` for a bug in a plugin.
    """

    async def __aenter__(self) -> Self:
        """Return itself."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""

    async def wait_for_first(self) -> None:
        """Wait until the first event is there and keep it, so that an early failure shows here."""


class AnswerBuilder:
    """Puts the events of one answer together."""

    def __init__(self) -> None:
        self._parts: dict[int, AnswerPart] = {}
        self._pieces: dict[int, list[str]] = {}
        self._ends: dict[int, PartEnd] = {}
        self._citations: dict[int, list[Citation]] = {}
        self.model: str | None = None
        self.usage = Usage()
        self.end: ResponseEnd | None = None

    def add(self, event: StreamEvent) -> None:
        """Take the next event. Raises `BackendFailed` for a piece of a part that has not started."""
        match event:
            case PartDelta():
                if (pieces := self._pieces.get(event.index)) is None:
                    raise BackendFailed(f"part {event.index} of the answer never began")
                pieces.append(event.text)
            case PartStart():
                self._parts[event.index] = event.part
                self._pieces[event.index] = []
            case PartEnd():
                self._ends[event.index] = event
            case PartCitation():
                self._citations.setdefault(event.index, []).append(event.citation)
            case UsageUpdate():
                self.usage = event.usage
            case ResponseStart():
                self.model = event.model
            case ResponseEnd():
                self.end = event

    def build(self) -> ChatResponse:
        """The whole answer. Raises `BackendFailed` if its end has not come."""
        if self.end is None:
            raise BackendFailed("the answer was interrupted")
        return ChatResponse(
            parts=self.parts(),
            stop_reason=self.end.stop_reason,
            stop_sequence=self.end.stop_sequence,
            refusal=self.end.refusal,
            usage=self.usage,
            model=self.model,
        )

    def take_text(self, index: int) -> str:
        """Take out the text that a part has so far; the part goes on without it."""
        pieces, self._pieces[index] = self._pieces[index], []
        return "".join(pieces)

    def parts(self) -> tuple[AnswerPart, ...]:
        """The parts as they are so far."""
        return tuple(self._part(index) for index in self._parts)

    def _part(self, index: int) -> AnswerPart:
        text, end = "".join(self._pieces[index]), self._ends.get(index)
        match self._parts[index]:
            case Text():
                return Text(text=text, citations=tuple(self._citations.get(index, ())))
            case Thinking():
                return Thinking(text=text, signature=end.signature if end else None)
            case ToolCall() as call:
                return ToolCall(id=call.id, name=call.name, arguments=text or "{}")
            case WebSearch() as search:
                return (end and end.search) or replace(search, query=text)


async def collect(stream: EventSource) -> ChatResponse:
    """Read a stream to its end and put the answer together. Closes the stream."""
    builder = AnswerBuilder()
    try:
        async for event in stream:
            builder.add(event)
    finally:
        await close(stream)
    return builder.build()


async def close(stream: EventSource, seconds: float = 20) -> None:
    """Close a stream even while being cancelled; give up after `seconds`."""
    with anyio.move_on_after(seconds, shield=True) as scope:
        await stream.aclose()
    if scope.cancelled_caught:
        log.error("a stream did not close within %s s", seconds)


async def close_all(streams: Iterable[EventSource]) -> None:
    """Close each one, whatever becomes of the others; failures are logged."""
    for stream in streams:
        if isinstance(stream, AsyncGeneratorType) and stream.ag_frame is None:
            continue  # it has run to its end and holds nothing
        try:
            await close(stream)
        except Exception:
            log.exception("closing a stream failed")
