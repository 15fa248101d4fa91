"""Answers kept for a while: bounded in number, bytes and time; the longest unused goes first."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TypeAlias

from gateway.types import PartDelta, PartEnd, StreamEvent, WebSearch

Events: TypeAlias = tuple[StreamEvent, ...]

EVENT_BYTES = 200
"""Bytes of an event besides its text, roughly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer, and the request fields that were not honoured for it."""

    events: Events
    ignored: tuple[str, ...]
    size: int
    until: float


def size_of(event: StreamEvent) -> int:
    """About how many bytes an event takes."""
    match event:
        case PartDelta(text=text):
            return EVENT_BYTES + len(text.encode())
        case PartEnd(search=WebSearch(sources=sources)):
            return EVENT_BYTES * (1 + len(sources))
        case _:
            return EVENT_BYTES


class AnswerStore:
    """Whole answers by key. `now` is in seconds, of any clock that does not go back."""

    def __init__(
        self,
        max_entries: int,
        max_bytes: int,
        ttl_seconds: float,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._ttl = ttl_seconds
        self._now = now
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self.bytes = 0

    @property
    def max_bytes(self) -> int:
        """An answer of more is never kept."""
        return self._max_bytes

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Kept | None:
        """The answer, if there is one that is not too old."""
        if (kept := self._kept.get(key)) is None:
            return None
        if kept.until <= self._now():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def put(self, key: str, events: Events, ignored: tuple[str, ...] = ()) -> None:
        """Keep an answer, in place of older ones where it needs their room."""
        size = sum(map(size_of, events))
        if size > self._max_bytes:
            return
        if key in self._kept:
            self._drop(key)
        until = self._now() + self._ttl
        self._kept[key] = Kept(events=events, ignored=ignored, size=size, until=until)
        self.bytes += size
        while len(self._kept) > self._max_entries or self.bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        self.bytes -= self._kept.pop(key).size
