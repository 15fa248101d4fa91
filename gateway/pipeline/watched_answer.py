"""An answer on its way to a frontend: watched, bounded in time, and always closed."""

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from gateway.context import Outcome, OutcomeStatus, RequestContext, StreamObserver
from gateway.errors import BackendFailed, GatewayError, as_server_fault
from gateway.pipeline.observers import Observers
from gateway.pipeline.watchdog import StreamLimits, Watchdog
from gateway.streams import EventSource, close_all
from gateway.types import (
    PartDelta,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StopReason,
    StreamEvent,
    ToolCall,
    Usage,
    UsageUpdate,
)

ErrorT = TypeVar("ErrorT", bound=BaseException)


class WatchedAnswer:
    """The `gateway.streams.AnswerStream` of the core.

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
        """See `AnswerStream.wait_for_first`."""
        if self._held is None:
            self._held = await self.__anext__()

    async def __anext__(self) -> StreamEvent:
        if self._held is not None:
            event, self._held = self._held, None
            return event
        try:
            with self._watchdog:
                event = await self._source.__anext__()
        except StopAsyncIteration:
            if self._stop_reason is None:
                raise self._failed(BackendFailed("the answer was interrupted")) from None
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
