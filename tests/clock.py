"""Clocks that are turned by hand, so that no test waits for the time to pass."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio


class Clock:
    """Shows `now`, in seconds, until it is turned: for whatever takes its clock as a parameter."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def turn(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += seconds


class RunningClock(Clock):
    """Runs as the real one does, and can be turned beyond it."""

    def __init__(self) -> None:
        super().__init__(0)
        self._real = time.monotonic

    def __call__(self) -> float:
        return self._real() + self.now


@asynccontextmanager
async def turned(clock: RunningClock, seconds: float) -> AsyncGenerator[None]:
    """Turn the clock once what is done meanwhile has come to wait for something."""

    async def turn() -> None:
        await anyio.wait_all_tasks_blocked()
        clock.turn(seconds)

    turning = asyncio.ensure_future(turn())
    try:
        yield
    finally:
        await turning
