"""Which share of new requests is let in while the event loop can't keep up. Pure.

How much work a request is can't be known beforehand, and most of those in progress only wait for
a model. So the sign is the loop itself: while it is late for a while, and not only once, a share
of the new requests is refused, and the share follows how late it is. (The idea is CoDel's,
RFC 8289: a queue that stands for too long, not one that is long for once.)
"""

import random
from collections import deque
from collections.abc import Callable
from typing import Final

LATE_SECONDS: Final = 0.08
LOOKS: Final = 3
"""So many looks at the loop in a row, 50 ms and more apart, have to find it late."""
FEW: Final = 32
"""Requests in progress with which none is refused: then it is others that keep the machine busy."""
LESS, MORE, LEAST = 0.7, 0.04, 0.02
"""The share that is let in: times `LESS` when the loop is late, and plus `MORE` when it is not."""


class Shedding:
    """Decides which requests are refused. `chance` is a random number from 0 to 1."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._late: deque[float] = deque(maxlen=LOOKS)
        self.admitted_share = 1.0
        self.refused = 0
        """How many requests, since the start."""

    def note(self, late: float) -> None:
        """By how many seconds the loop was late just now."""
        self._late.append(late)
        if len(self._late) == LOOKS and min(self._late) > LATE_SECONDS:
            self.admitted_share = max(self.admitted_share * LESS, LEAST)
        else:
            self.admitted_share = min(self.admitted_share + MORE, 1.0)

    def refuses(self, active: int) -> bool:
        """Whether a new request is refused while so many are in progress."""
        if self.admitted_share >= 1 or active < FEW:
            return False
        if self._chance() < self.admitted_share:
            return False
        self.refused += 1
        return True

    def report(self) -> dict[str, int]:
        """For `GET /health`: nothing while none was refused."""
        return {"refused": self.refused} if self.refused else {}
