"""A bucket: so many a minute, with the whole minute's worth at once if there was a rest before."""

from collections.abc import Callable

Clock = Callable[[], float]

MINUTE = 60.0


class Bucket:
    """Holds up to `capacity`, and is filled from empty in a minute.

    It may be overdrawn, as the cost of an answer is known only at its end.
    """

    def __init__(self, capacity: int, clock: Clock) -> None:
        self.capacity = capacity
        self._clock = clock
        self._level = float(capacity)
        self._as_of = clock()

    @property
    def level(self) -> float:
        """Its content now."""
        now = self._clock()
        filled = self._level + (now - self._as_of) * self.capacity / MINUTE
        self._level, self._as_of = min(filled, float(self.capacity)), now
        return self._level

    def take(self, amount: float) -> None:
        """Take so much out."""
        self._level = self.level - amount

    def seconds_until(self, level: float) -> float:
        """How long it takes until it holds so much."""
        return max(0.0, (level - self.level) * MINUTE / self.capacity)
