"""Conversations whose process waits for the next request, by what that request has to continue.

Pure but for the clock. A conversation is taken out by the one request that gets it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway_claude_code.request.canonical import Digest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    conversation: T
    until: float


class LiveConversations(Generic[T]):
    """Waiting conversations, the least recently used first. `most` of 0 keeps none."""

    def __init__(
        self, most: int, keep_alive: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.most = most
        self._keep_alive = keep_alive
        self._now = now
        self._waiting: OrderedDict[Digest, _Waiting[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, key: Digest, conversation: T) -> list[T]:
        """Let a conversation wait; returns those that have to be closed for it."""
        replaced = self._waiting.pop(key, None)
        self._waiting[key] = _Waiting(conversation, self._now() + self._keep_alive)
        given_up = [replaced.conversation] if replaced is not None else []
        while len(self._waiting) > self.most:
            given_up.append(self._waiting.popitem(last=False)[1].conversation)
        return given_up

    def take(self, key: Digest) -> T | None:
        """The conversation that waits for this, if there is one; it is then the caller's."""
        found = self._waiting.pop(key, None)
        return found.conversation if found is not None else None

    def take_oldest(self) -> T | None:
        """The least recently used, to be closed in favour of something else."""
        return self._waiting.popitem(last=False)[1].conversation if self._waiting else None

    def take_expired(self) -> list[T]:
        """Those that have waited long enough."""
        now = self._now()
        expired = [key for key, waiting in self._waiting.items() if waiting.until <= now]
        return [self._waiting.pop(key).conversation for key in expired]

    def take_dead(self, alive: Callable[[T], bool]) -> list[T]:
        """Those whose process has ended."""
        dead = [key for key, waiting in self._waiting.items() if not alive(waiting.conversation)]
        return [self._waiting.pop(key).conversation for key in dead]

    def take_all(self) -> list[T]:
        """Every one, to be closed."""
        taken = [waiting.conversation for waiting in self._waiting.values()]
        self._waiting.clear()
        return taken

    def next_expiry(self) -> float | None:
        """In how many seconds the first one expires; None if none waits."""
        until = min((waiting.until for waiting in self._waiting.values()), default=None)
        return None if until is None else max(until - self._now(), 0)
