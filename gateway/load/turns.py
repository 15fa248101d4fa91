"""Who is next where many wait: callers take turns, and so do the calls of one caller. Pure.

One caller with many requests then can't starve another, nor can one call for many answers
(`n: 128`) starve a later request of the same caller.
"""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A queue of items, each of a call of a caller. Items of one call keep their order."""

    def __init__(self) -> None:
        # Both levels are in the order in which their turns come.
        self._callers: dict[str, dict[Hashable, deque[T]]] = {}
        self._calls = 0

    def __len__(self) -> int:
        """How many items wait."""
        return sum(len(items) for calls in self._callers.values() for items in calls.values())

    def __bool__(self) -> bool:
        return bool(self._callers)

    @property
    def calls(self) -> int:
        """How many calls wait, each with one item or more."""
        return self._calls

    @property
    def next_caller(self) -> str | None:
        """The caller whose turn it is; None if nobody waits."""
        return next(iter(self._callers), None)

    def pass_turn(self) -> None:
        """Put the caller whose turn it is behind all others."""
        if (caller := self.next_caller) is not None:
            self._callers[caller] = self._callers.pop(caller)

    def has(self, caller: str, call: Hashable) -> bool:
        """Whether anything of this call waits."""
        return call in self._callers.get(caller, ())

    def add(self, caller: str, call: Hashable, item: T) -> None:
        """Put an item in line."""
        calls = self._callers.setdefault(caller, {})
        if call not in calls:
            calls[call] = deque()
            self._calls += 1
        calls[call].append(item)

    def next(self) -> T:
        """Take out the item whose turn it is. Raises `StopIteration` when there is none."""
        caller = next(iter(self._callers))
        calls = self._callers.pop(caller)
        call = next(iter(calls))
        items = calls.pop(call)
        item = items.popleft()
        if items:
            calls[call] = items
        else:
            self._calls -= 1
        if calls:
            self._callers[caller] = calls
        return item

    def remove(self, caller: str, call: Hashable, item: T) -> None:
        """Take out an item that gives up, wherever it stands."""
        calls = self._callers[caller]
        calls[call].remove(item)
        if not calls[call]:
            del calls[call]
            self._calls -= 1
        if not calls:
            del self._callers[caller]
