"""Idle processes that were used, by what a request has to continue, and by how long they are idle.

Pure but for the clock. Each is taken out by the one request that gets it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from gateway_claude_code.request.canonical import Digest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting:
    key: Digest | None
    since: float


class LiveConversations(Generic[T]):
    """Waiting conversations, the least recently used first. `most` of 0 keeps none."""

    def __init__(
        self, most: int, keep_alive: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.most = most
        self._keep_alive = keep_alive
        self._now = now
        self._waiting: OrderedDict[T, _Waiting] = OrderedDict()
        self._by_key: dict[Digest, T] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, conversation: T) -> bool:
        return conversation in self._waiting

    def keep(self, key: Digest | None, conversation: T) -> list[T]:
        """Let a conversation wait; returns those that have to be closed for it.

        Without a key it waits for nothing in particular.
        """
        given_up: list[T] = []
        if key is not None and (replaced := self.take(key)) is not None:
            given_up.append(replaced)
        self._waiting[conversation] = _Waiting(key, self._now())
        if key is not None:
            self._by_key[key] = conversation
        while len(self._waiting) > self.most:
            given_up.append(self._take(next(iter(self._waiting))))
        return given_up

    def take(self, key: Digest) -> T | None:
        """The conversation that waits for this, if there is one; it is then the caller's."""
        found = self._by_key.get(key)
        return self._take(found) if found is not None else None

    def remove(self, conversation: T) -> bool:
        """Take out this one; whether it was there."""
        if conversation not in self._waiting:
            return False
        self._take(conversation)
        return True

    def forget_key(self, conversation: T) -> None:
        """It waits on, but for nothing in particular."""
        waiting = self._waiting[conversation]
        if waiting.key is not None:
            self._by_key.pop(waiting.key, None)
        self._waiting[conversation] = replace(waiting, key=None)

    def idle(self) -> list[tuple[T, float]]:
        """Each one and for how many seconds it has waited, the least recently used first."""
        now = self._now()
        return [(conversation, now - one.since) for conversation, one in self._waiting.items()]

    def take_oldest(self) -> T | None:
        """The least recently used, to be closed in favour of something else."""
        return self._take(next(iter(self._waiting))) if self._waiting else None

    def take_expired(self) -> list[T]:
        """Those that have waited long enough."""
        until = self._now() - self._keep_alive
        expired = [each for each, waiting in self._waiting.items() if waiting.since <= until]
        return [self._take(each) for each in expired]

    def take_dead(self, alive: Callable[[T], bool]) -> list[T]:
        """Those whose process has ended."""
        return [self._take(dead) for dead in [each for each in self._waiting if not alive(each)]]

    def take_all(self) -> list[T]:
        """Every one, to be closed."""
        return [self._take(each) for each in list(self._waiting)]

    def next_expiry(self) -> float | None:
        """In how many seconds the first one expires; None if none waits."""
        since = min((waiting.since for waiting in self._waiting.values()), default=None)
        return None if since is None else max(since + self._keep_alive - self._now(), 0)

    def _take(self, conversation: T) -> T:
        key = self._waiting.pop(conversation).key
        if key is not None:
            self._by_key.pop(key, None)
        return conversation
