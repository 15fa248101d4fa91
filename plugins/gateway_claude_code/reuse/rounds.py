"""How long processes are away with a request, and so when the next one may be back. Pure but for the clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from gateway_claude_code.reuse.set_up import SetUp

P = TypeVar("P")

LATE_SECONDS: Final = 0.5
"""By how much a process may be late and still count as one that is soon back."""


@dataclass(slots=True)
class _Rounds:
    set_up: SetUp
    since: float | None
    took: float | None = None


class Rounds(Generic[P]):
    """The rounds of each process: from when a request gets it until it has settled."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._rounds: dict[P, _Rounds] = {}

    def begin(self, process: P, set_up: SetUp) -> None:
        """A request has got this process; nothing happens if that is known."""
        rounds = self._rounds.setdefault(process, _Rounds(set_up, None))
        if rounds.since is None:
            rounds.since = self._now()

    def end(self, process: P) -> None:
        """It is back."""
        rounds = self._rounds.get(process)
        if rounds is not None and rounds.since is not None:
            took, rounds.since = self._now() - rounds.since, None
            rounds.took = took if rounds.took is None else (rounds.took + took) / 2

    def forget(self, process: P) -> None:
        """It will not be back."""
        self._rounds.pop(process, None)

    def away(self, set_up: SetUp) -> int:
        """How many are with a request."""
        return sum(
            each.set_up == set_up and each.since is not None for each in self._rounds.values()
        )

    def seconds_until_back(self, set_up: SetUp, ahead: int) -> float | None:
        """After how long one may be back for a request with so many before it, if that is known.

        It is judged by what their last rounds took. Those that are late by more than
        `LATE_SECONDS` don't count.
        """
        now = self._now()
        took = [
            each.took
            for each in self._rounds.values()
            if each.set_up == set_up
            and each.since is not None
            and each.took is not None
            and now - each.since <= each.took + LATE_SECONDS
        ]
        return sum(took) / len(took) * (ahead + 1) / len(took) if took else None
