"""Events of several answers on their way to one client, in the order in which they came."""

import sys
from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

import anyio
import anyio.lowlevel

from gateway.errors import GatewayError
from gateway.types import PartDelta, PartEnd, StreamEvent, WebSearch

ChoiceEvent: TypeAlias = tuple[int, StreamEvent]

EVENT_BYTES: Final = 200
"""The memory of an event besides its text: CPython 3.11 to 3.13, on 64 bits."""


CALL_BYTES: Final = 8 * 1024 * 1024
"""How far the answers to one call may be ahead of its client, all together."""
ALL_BYTES: Final = 16 * 1024 * 1024
"""How far all calls may be ahead of their clients, all together."""
SURE_BYTES: Final = 256 * 1024
"""How far each call may be ahead whatever the others are."""


@dataclass(eq=False, slots=True)
class HeldBytes:
    """The memory that several buffers share: `now` bytes of `most` are used."""

    most: int = ALL_BYTES
    now: int = 0


_IN_THIS_PROCESS: Final = HeldBytes()


class EventBuffer:
    """Holds `most` bytes of events: answers go on while the client reads slowly, up to there.

    `put` then waits until something was read. An event that is larger than all that is allowed
    goes in when nothing else is there. While all buffers together hold what they may, each has
    only `SURE_BYTES`. `close` one in every case.
    """

    def __init__(self, most: int = CALL_BYTES, shared: HeldBytes = _IN_THIS_PROCESS) -> None:
        self._most = most
        self._shared = shared
        self._events: deque[ChoiceEvent] = deque()
        self._bytes = 0
        self._ended = False
        self.failure: GatewayError | None = None
        self._filled = anyio.Event()
        self._drained = anyio.Event()

    async def put(self, event: ChoiceEvent) -> None:
        """Add an event, as soon as there is room. Always lets other tasks have their turn."""
        size = size_of(event[1])
        await anyio.lowlevel.checkpoint()
        while self._bytes and self._bytes + size > self._room(size):
            self._drained = anyio.Event() if self._drained.is_set() else self._drained
            await self._drained.wait()
        self._events.append(event)
        self._count(size)
        self._filled.set()

    async def get(self) -> ChoiceEvent:
        """The next event. After the last, raises the failure, or else `StopAsyncIteration`."""
        while not self._events:
            if self.failure is not None:
                raise self.failure
            if self._ended:
                raise StopAsyncIteration
            self._filled = anyio.Event()
            await self._filled.wait()
        event = self._events.popleft()
        self._count(-size_of(event[1]))
        self._drained.set()
        return event

    def close(self) -> None:
        """Drop the events that were not read."""
        self._events.clear()
        self._count(-self._bytes)

    def _room(self, size: int) -> int:
        """The bytes that this buffer may hold with another event of this size."""
        is_full = self._shared.now + size > self._shared.most
        return min(self._most, SURE_BYTES) if is_full else self._most

    def _count(self, size: int) -> None:
        self._bytes += size
        self._shared.now += size

    def end(self) -> None:
        """No more events will come."""
        self._ended = True
        self._filled.set()

    def fail(self, error: GatewayError) -> None:
        """No more events will come, but this error after those that are there; the first counts."""
        self.failure = self.failure or error
        self.end()


def size_of(event: StreamEvent) -> int:
    """About how many bytes of memory an event takes."""
    match event:
        case PartDelta():
            return EVENT_BYTES + sys.getsizeof(event.text)
        case PartEnd(signature=str() as signature):
            return EVENT_BYTES + sys.getsizeof(signature)
        case PartEnd(search=WebSearch(sources=sources)):
            return EVENT_BYTES * (1 + len(sources)) + sum(len(source.url) for source in sources)
        case _:
            return EVENT_BYTES
