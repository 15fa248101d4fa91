"""Streams of events: collecting one into an answer, and seeing one safely to its end."""

import logging
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import anyio

from gateway.context import Outcome, OutcomeStatus, RequestContext, StreamObserver
from gateway.errors import BackendFailed, TimedOut, as_server_fault
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

log = logging.getLogger("gateway.streams")


class EventSource(Protocol):
    """What a backend returns: an async iterator of events that can be closed early.

    Every async generator of `StreamEvent` is one.
    """

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        """Return itself."""

    async def __anext__(self) -> StreamEvent:
        """The next event. Raises `GatewayError`, or `StopAsyncIteration` after the last."""

    async def aclose(self) -> None:
        """Free whatever the answer holds. Called in every case, also after the last event."""


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
        """Take the next event."""
        match event:
            case PartDelta():
                self._pieces[event.index].append(event.text)
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
            parts=tuple(self._part(index) for index in self._parts),
            stop_reason=self.end.stop_reason,
            stop_sequence=self.end.stop_sequence,
            usage=self.usage,
            model=self.model,
        )

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


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Seconds: between two events, and for the whole answer."""

    idle_seconds: float = 300
    request_seconds: float = 3600


class AnswerStream:
    """An answer on its way to a frontend: watched, bounded in time, and always closed.

    Use it as `async with`, or call `aclose` in a `finally`. Iterating raises `GatewayError`s
    only: `TimedOut` when nothing comes, `BackendFailed` when the stream ends without
    `ResponseEnd`, `ServerFault` for a bug in a plugin.
    """

    def __init__(
        self,
        source: EventSource,
        ctx: RequestContext,
        observers: Iterable[StreamObserver],
        limits: StreamLimits,
    ) -> None:
        self._source = source
        self._ctx = ctx
        self._observers = list(observers)
        self._limits = limits
        self._deadline = ctx.started + limits.request_seconds
        self._held: StreamEvent | None = None
        self._closed = False
        self._first_event: float | None = None
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
            event = await self._bounded_next()
        except StopAsyncIteration:
            if self._stop_reason is None:
                self._error = BackendFailed("the answer broke off before its end")
                raise self._error from None
            raise
        except Exception as error:
            self._error = as_server_fault(error)
            raise self._error from error
        except BaseException as error:
            self._error = error
            raise
        self._note(event)
        return event

    async def _bounded_next(self) -> StreamEvent:
        left = self._deadline - time.perf_counter()
        limit = min(self._limits.idle_seconds, left)
        try:
            with anyio.fail_after(limit):
                return await self._source.__anext__()
        except TimeoutError as error:
            if limit == left:
                raise TimedOut(
                    f"the answer took longer than {self._limits.request_seconds:g} s "
                    "(limits.request_seconds)"
                ) from error
            raise TimedOut(
                f"the backend was silent for {limit:g} s (limits.idle_seconds)"
            ) from error

    def _note(self, event: StreamEvent) -> None:
        if self._first_event is None:
            self._first_event = time.perf_counter() - self._ctx.started
        match event:
            case UsageUpdate():
                self._usage = event.usage
            case ResponseStart():
                self._model = event.model
            case ResponseEnd():
                self._stop_reason = event.stop_reason
        if self._observers:
            self._tell("on_event", event)

    def _tell(self, method: str, value: Any) -> None:  # noqa: ANN401
        for observer in tuple(self._observers):
            try:
                getattr(observer, method)(value)
            except Exception:
                log.exception("an observer failed in %s and is dropped", method)
                self._observers.remove(observer)

    async def aclose(self) -> None:
        """Close the backend's stream and tell the observers how it ended; once."""
        if self._closed:
            return
        self._closed = True
        try:
            await close(self._source)
        except Exception:
            log.exception("closing a stream failed")
        finally:
            self._tell("on_end", self._outcome())

    def _outcome(self) -> Outcome:
        status: OutcomeStatus = "cancelled"
        if self._stop_reason is not None:
            status = "completed"
        elif isinstance(self._error, Exception):
            status = "failed"
        return Outcome(
            status=status,
            duration=time.perf_counter() - self._ctx.started,
            first_event=self._first_event,
            error=self._error,
            usage=self._usage,
            stop_reason=self._stop_reason,
            model=self._model,
        )
