"""Holding an answer's first events back until it says something, so that a failure is a failure.

Once the first event is out, a stream has its status: 200. The API may still be overloaded after
`message_start`, and between that and the first words a connection breaks as well as before.
"""

import time
from collections.abc import Callable, Iterator
from typing import Final

from gateway.types import PartDelta, PartStart, ResponseEnd, StreamEvent, ToolCall

HELD_SECONDS: Final = 5
"""How long at most: a model may think for minutes without a word of it (`thinking.display:
omitted`), and from the first event on the client gets signs of life."""


class HeldStart:
    """The events of one answer; those before its first words, or its first call, come with these."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._held: list[StreamEvent] = []
        self._until: float | None = None
        self._released = False

    @property
    def seconds_left(self) -> float | None:
        """How long the held events may wait for the next one; None without held events."""
        return None if self._until is None else max(self._until - self._now(), 0)

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """The events to send on for this one."""
        if self._released:
            yield event
            return
        if self._until is None:
            self._until = self._now() + HELD_SECONDS
        self._held.append(event)
        if _says_something(event):
            yield from self.release()

    def release(self) -> Iterator[StreamEvent]:
        """The events that are held; from here on, each goes out at once."""
        self._released, self._until = True, None
        held, self._held = self._held, []
        yield from held


def _says_something(event: StreamEvent) -> bool:
    match event:
        case PartDelta(text=text):
            return bool(text)
        case PartStart(part=part):
            return isinstance(part, ToolCall)
        case _:
            return isinstance(event, ResponseEnd)
