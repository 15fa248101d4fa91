"""Streams of events: collecting one into an answer, and seeing one safely to its end."""

import logging
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import Protocol, Self, TypeVar

import anyio

from gateway.context import Outcome, OutcomeStatus, RequestContext, StreamObserver
from gateway.errors import BackendFailed, GatewayError, as_server_fault
from gateway.observers import Observers
from gateway.types import (
    ChatResponse,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StopReason,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)
from gateway.watchdog import StreamLimits, Watchdog

__all__ = ["AnswerBuilder", "AnswerStream", "EventSource", "StreamLimits", "close", "collect"]

log = logging.getLogger("gateway.streams")

ErrorT = TypeVar("ErrorT", bound=BaseException)


class EventSource(Protocol):
    """What a backend returns: an async iterator of events that can be closed early.

    Every async generator of `StreamEvent` is one.
    """

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        """Return itself."""

    async def __anext__(self) -> StreamEvent:
        """The next event. Raises `GatewayError`, or `StopAsyncIteration` after the last."""

    async def aclose(self) -> None:
        """Free whatever the answer holds. Called in every case, also after the last event,
        and more than once if the stream was wrapped."""


class AnswerBuilder:
    """Puts the events of one answer together."""

    def __init__(self) -> None:
        self._parts: dict[int, Text | Thinking | ToolCall] = {}
        self._pieces: dict[int, list[str]] = {}
        self._signatures: dict[int, str | None] = {}
        self.model: str | None = None
        self.usage = Usage()
        self.end: ResponseEnd | None = None

    def add(self, event: StreamEvent) -> None:
        """Take the next event. Raises `BackendFailed` for more of a part that never began."""
        match event:
            case PartDelta():
                if (pieces := self._pieces.get(event.index)) is None:
                    raise BackendFailed(f"part {event.index} of the answer never began")
                pieces.append(event.text)
            case PartStart():
                self._parts[event.index] = event.part
                self._pieces[event.index] = []
            case PartEnd():
                self._signatures[event.index] = event.signature
            case UsageUpdate():
                self.usage = event.usage
            case ResponseStart():
                self.model = event.model
            case ResponseEnd():
                self.end = event

    def build(self) -> ChatResponse:
        """The whole answer. Raises `BackendFailed` if its end has not come."""
        if self.end is None:
            raise BackendFailed("the answer broke off before its end")
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

    def parts(self) -> tuple[Text | Thinking | ToolCall, ...]:
        """The parts as they are so far."""
        return tuple(self._part(index) for index in self._parts)

    def _part(self, index: int) -> Text | Thinking | ToolCall:
        text = "".join(self._pieces[index])
        match self._parts[index]:
            case Text():
                return Text(text=text)
            case Thinking():
                return Thinking(text=text, signature=self._signatures.get(index))
            case ToolCall() as call:
                return ToolCall(id=call.id, name=call.name, arguments=text or "{}")


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
        try:
            await close(stream)
        except Exception:
            log.exception("closing a stream failed")


class AnswerStream:
    """An answer on its way to a frontend: watched, bounded in time, and always closed.

    Use it as `async with`, or call `aclose` in a `finally`. Iterating raises `GatewayError`s
    only: `TimedOut` when nothing comes, `BackendFailed` when the stream ends without
    `ResponseEnd` or goes on beyond all measure, `ServerFault` for a bug in a plugin.

    `wrapped` are the streams inside `source`, the inner ones last. They are closed too: a
    generator that never ran has no `finally`.
    """

    def __init__(
        self,
        source: EventSource,
        ctx: RequestContext,
        observers: Iterable[StreamObserver],
        limits: StreamLimits,
        wrapped: Sequence[EventSource] = (),
    ) -> None:
        self._source = source
        self._wrapped = wrapped
        self._ctx = ctx
        self._observers = Observers(observers)
        ctx.report_cost = self._observers.tell_cost
        self._watchdog = Watchdog(limits, ctx)
        ctx.end = self._watchdog.end
        self._most_bytes = limits.answer_bytes
        self._bytes = 0
        self._held: StreamEvent | None = None
        self._closed = False
        self._first_event: float | None = None
        self._first_token: float | None = None
        self._tool_calls = 0
        self._error: BaseException | None = None
        self._usage: Usage | None = None
        self._stop_reason: StopReason | None = None
        self._model: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def wait_for_first(self) -> None:
        """Wait until the first event is there and keep it, so that an early failure shows here."""
        if self._held is None:
            self._held = await self._next()

    async def __anext__(self) -> StreamEvent:
        if self._held is not None:
            event, self._held = self._held, None
            return event
        return await self._next()

    async def _next(self) -> StreamEvent:
        try:
            event = await self._watchdog.guard(self._source.__anext__)
        except StopAsyncIteration:
            if self._stop_reason is None:
                raise self._failed(BackendFailed("the answer broke off before its end")) from None
            raise
        except GatewayError as error:
            self._failed(error)
            raise
        except Exception as error:
            raise self._failed(as_server_fault(error)) from error
        except BaseException as error:
            self._failed(error)
            raise
        self._note(event)
        return event

    def _failed(self, error: ErrorT) -> ErrorT:
        """Keep the first failure for the observers."""
        self._error = self._error or error
        return error

    def _note(self, event: StreamEvent) -> None:
        if self._first_event is None:
            self._first_event = time.perf_counter() - self._ctx.started
        match event:
            case PartDelta():
                if self._first_token is None:
                    self._first_token = time.perf_counter() - self._ctx.started
                self._count(event.text)
            case PartStart():
                self._tool_calls += isinstance(event.part, ToolCall)
            case UsageUpdate():
                self._usage = event.usage
            case ResponseStart():
                self._model = event.model
            case ResponseEnd():
                self._stop_reason = event.stop_reason
        if self._observers.want_events:
            self._observers.tell("on_event", event)

    def _count(self, text: str) -> None:
        self._bytes += (
            len(text) if text.isascii() else len(text.encode("utf-8", errors="surrogatepass"))
        )
        if self._bytes > self._most_bytes:
            what = f"the answer is over the limit of {self._most_bytes} bytes (limits.answer_bytes)"
            raise self._failed(BackendFailed(what))

    async def aclose(self) -> None:
        """Close the backend's stream and tell the observers how it ended; once."""
        if self._closed:
            return
        self._closed = True
        self._watchdog.stop()
        try:
            await close_all((self._source, *self._wrapped))
        finally:
            self._ctx.group.rest(self._ctx.request_id)
            self._observers.tell("on_end", self._outcome())

    def _outcome(self) -> Outcome:
        return Outcome(
            status=self._status(),
            duration=time.perf_counter() - self._ctx.started,
            first_event=self._first_event,
            first_token=self._first_token,
            tool_calls=self._tool_calls,
            error=self._error,
            usage=self._usage,
            stop_reason=self._stop_reason,
            model=self._model,
        )

    def _status(self) -> OutcomeStatus:
        if isinstance(self._error, Exception):
            return "failed"
        return "cancelled" if self._stop_reason is None else "completed"
