"""Events of several answers on their way to one client, in the order in which they came."""

import sys
from collections import deque
from typing import Final, TypeAlias

import anyio
import anyio.lowlevel

from gateway.errors import GatewayError
from gateway.types import PartDelta, PartEnd, StreamEvent

ChoiceEvent: TypeAlias = tuple[int, StreamEvent]

EVENT_BYTES: Final = 200
"""What an event takes in memory besides its text: CPython 3.11 to 3.13, on 64 bits."""


class EventBuffer:
    """Holds `most` bytes of events: answers go on while the client reads slowly, up to there.

    `put` then waits until something was read. An event that is larger than all that is allowed
    goes in when nothing else is there.
    """

    def __init__(self, most: int) -> None:
        self._most = most
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
        while self._bytes and self._bytes + size > self._most:
            self._drained = anyio.Event() if self._drained.is_set() else self._drained
            await self._drained.wait()
        self._events.append(event)
        self._bytes += size
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
        self._bytes -= size_of(event[1])
        self._drained.set()
        return event

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
        case _:
            return EVENT_BYTES
