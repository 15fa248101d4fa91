"""Bounding the wait for each event of a stream, at next to no cost an event.

A cancel scope around each wait costs more than the events themselves do. One timer a stream
is enough: it looks now and then whether somebody has been waiting for too long.
"""

import asyncio
import time
from dataclasses import dataclass
from types import TracebackType

from gateway.context import RequestContext
from gateway.errors import GatewayError, TimedOut


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Seconds between two events, and for the whole answer; bytes of all its text."""

    idle_seconds: float = 300
    request_seconds: float = 3600
    answer_bytes: int = 64 * 1024 * 1024


class Watchdog:
    """Cancels a wait that goes past the limits, but for silence while `ctx` waits in line.

    It is entered for each wait. It cancels as `asyncio.timeout` does: only during a wait, and taken
    back before `TimedOut` is raised, so that a cancellation from elsewhere still counts.
    """

    def __init__(self, limits: StreamLimits, ctx: RequestContext) -> None:
        self._limits = limits
        self._ctx = ctx
        self._deadline = ctx.started + limits.request_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._before = 0
        self._since = 0.0
        self._fired = False
        self._ended: GatewayError | None = None

    def end(self, error: GatewayError) -> None:
        """Have the present wait, or else the next one, raise this error. The first counts."""
        self._ended = self._ended or error
        if self._waiting is not None and not self._fired:
            self._fired = True
            self._waiting.cancel()

    def __enter__(self) -> None:
        """A wait begins. Raises `TimedOut` if it is too late for one, or what `end` was given."""
        self._since = time.perf_counter()
        if self._ended is not None or self._since >= self._deadline:
            raise self._reason()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._waiting, self._before = task, task.cancelling()
        if self._timer is None:
            self._look_again_in(self._left())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """The wait is over. Raises the same as the beginning if it was cancelled from here."""
        task, self._waiting = self._waiting, None
        if self._fired and task is not None:
            self._fired = False
            others = task.uncancel()
            if isinstance(error, asyncio.CancelledError) and others <= self._before:
                raise self._reason() from error

    def stop(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _left(self) -> float:
        """Seconds until the present wait has been too long."""
        now = time.perf_counter()
        since = now if self._ctx.in_line else max(self._since, self._ctx.moved_up)
        return min(since + self._limits.idle_seconds, self._deadline) - now

    def _look_again_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting is None:
            return  # the next wait sets a timer of its own
        left = self._left()
        if left > 0:
            self._look_again_in(left)
        elif not self._fired:
            self._fired = True
            self._waiting.cancel()

    def _reason(self) -> GatewayError:
        if self._ended is not None:
            return self._ended
        if time.perf_counter() >= self._deadline:
            limit = self._limits.request_seconds
            return TimedOut(f"the answer took longer than {limit:g} s (limits.request_seconds)")
        limit = self._limits.idle_seconds
        return TimedOut(f"the backend was silent for {limit:g} s (limits.idle_seconds)")
