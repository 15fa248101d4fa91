"""How many answers a key has at the same time, where one call asks for several (`n`)."""

from collections.abc import AsyncGenerator

import anyio

from gateway.context import RequestContext
from gateway.load.turns import Turns
from gateway.streams import EventSource, close
from gateway.types import StreamEvent


class Places:
    """`most` answers at a time. The others wait, and the calls that they belong to take turns.

    The limit rejects calls of which each has one answer (`KeyLimits.enter`), so one that is let in
    waits for further answers of other calls at most.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._line: Turns[anyio.Event] = Turns()

    async def acquire(self, ctx: RequestContext) -> None:
        """Wait for a place."""
        if self._free and not self._line:
            self._free -= 1
            return
        admitted = anyio.Event()
        self._line.add("", ctx.group, admitted)
        try:
            with ctx.waiting():
                await admitted.wait()
        except BaseException:
            if admitted.is_set():
                self.release()
            else:
                self._line.remove("", ctx.group, admitted)
            raise

    def release(self) -> None:
        """Give a place to the next answer in line."""
        if self._line:
            self._line.next().set()
        else:
            self._free += 1


async def in_place(
    stream: EventSource, places: Places, ctx: RequestContext
) -> AsyncGenerator[StreamEvent]:
    """The events of `stream`, which begins when there is a place for it."""
    await places.acquire(ctx)
    try:
        async for event in stream:
            yield event
    finally:
        try:
            await close(stream)
        finally:
            places.release()
