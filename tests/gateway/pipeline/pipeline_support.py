"""A backend's answer that counts how it is closed, and how it is watched."""

import asyncio
from collections.abc import AsyncGenerator

import anyio
import anyio.lowlevel

from gateway.context import RequestContext
from gateway.pipeline.watchdog import StreamLimits
from gateway.pipeline.watched_answer import WatchedAnswer
from gateway.testing import Script
from gateway.types import StreamEvent
from tests.gateway.core_support import Recorder, context

NOW = 0.0
"""A limit that has passed as soon as somebody waits."""


class Source:
    """Plays a script as a backend does, and counts how often it was closed."""

    def __init__(self, script: Script = ()) -> None:
        self._events = self._play(script)
        self.closed = 0
        self.cancelled = False

    def __aiter__(self) -> "Source":
        return self

    async def __anext__(self) -> StreamEvent:
        return await anext(self._events)

    async def aclose(self) -> None:
        await self._events.aclose()
        self.closed += 1

    async def _play(self, script: Script) -> AsyncGenerator[StreamEvent]:
        for step in script:
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, anyio.Event):
                await self._wait(step)
            else:
                assert not isinstance(step, float)
                yield step

    async def _wait(self, event: anyio.Event) -> None:
        try:
            await event.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


def watched(
    source: Source,
    *observers: Recorder,
    idle: float = 300,
    request: float = 3600,
    ctx: RequestContext | None = None,
) -> WatchedAnswer:
    limits = StreamLimits(idle_seconds=idle, request_seconds=request)
    return WatchedAnswer(source, ctx or context(), observers, limits)


async def read(stream: WatchedAnswer) -> list[StreamEvent]:
    async with stream:
        return [event async for event in stream]
