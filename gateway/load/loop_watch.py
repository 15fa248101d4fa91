"""How long the event loop was held up: the time in which nobody else was served."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import anyio

EVERY_SECONDS: Final = 0.05
RECENT_SECONDS: Final = 300


class LoopWatch:
    """Sleeps for a moment again and again, and notes by how much it overslept.

    `now` is a clock in seconds, and `every` how many seconds it sleeps. `noted` is told each time
    by how many it overslept, and the share of a processor that the gateway had meanwhile.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.perf_counter,
        every: float = EVERY_SECONDS,
        noted: Callable[[float, float], None] = lambda _, __: None,
    ) -> None:
        self._noted = noted
        self._now = now
        self._every = every
        self._recent: deque[tuple[float, float]] = deque()
        self.longest = 0.0
        """Seconds, since the start."""

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Watch for as long as this is open."""
        # no task group: it would put errors of the application into a group
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @property
    def recent(self) -> float:
        """Seconds: the longest stall of the last `RECENT_SECONDS`."""
        self._forget()
        return self._recent[0][1] if self._recent else 0.0

    def note(self, seconds: float) -> None:
        """One stall. Only those that were longer than all later ones are kept."""
        self.longest = max(self.longest, seconds)
        self._forget()
        while self._recent and self._recent[-1][1] <= seconds:
            self._recent.pop()
        self._recent.append((self._now(), seconds))

    def report(self) -> dict[str, Any]:
        """For `GET /health`."""
        return {
            "longest_stall_ms": round(self.longest * 1000),
            "recent_stall_ms": round(self.recent * 1000),
        }

    def _forget(self) -> None:
        while self._recent and self._recent[0][0] < self._now() - RECENT_SECONDS:
            self._recent.popleft()

    async def _watch(self) -> None:
        while True:
            began, work = self._now(), time.process_time()
            await anyio.sleep(self._every)
            took = self._now() - began
            late = max(took - self._every, 0.0)
            self.note(late)
            self._noted(late, (time.process_time() - work) / max(took, self._every))
