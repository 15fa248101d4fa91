"""A CLI that does not get ready time and again is left in peace for a while: a circuit breaker."""

import time
from collections.abc import Callable, Hashable
from typing import Any, Final

from gateway.errors import BackendUnavailable, GatewayError

FAILURES: Final = 3
"""So many in a row open it."""
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 60.0


class StartBreaker:
    """Counts starts that failed in a row. Once open, one start at a time may try again."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures = 0
        self._reason = ""
        self._until = 0.0
        self._program: Hashable = None

    def notice(self, program: Hashable) -> None:
        """Note which program is started from now on: failures of another say nothing about it."""
        if program != self._program:
            self._program = program
            self._failures = 0

    @property
    def open(self) -> bool:
        """Whether starts are refused, but for one to try."""
        return self._failures >= FAILURES

    @property
    def may_try(self) -> bool:
        """Whether `check` would let a start through."""
        return not self.open or self._until <= self._now()

    def look(self, *, tries: bool = True) -> None:
        """Raises `BackendUnavailable` while there is no sense in starting a process.

        Without `tries` also where one may try again, for those that won't tell how it went.
        """
        if self.open and not (tries and self.may_try):
            left = max(self._until - self._now(), 0)
            raise BackendUnavailable(
                f"The Claude Code CLI failed to start {self._failures} times in a row, and is tried "
                f"again in {left:.0f} s. The last time: {self._reason}",
                retry_after=left,
            )

    def check(self) -> None:
        """The same, for a start that follows at once: while open, the others wait for that one."""
        self.look()
        if self.open:
            self._until = self._now() + self._pause()

    def succeeded(self) -> None:
        """A process got ready."""
        self._failures = 0

    def failed(self, error: GatewayError) -> None:
        """A process did not get ready."""
        self._failures += 1
        self._reason = error.message
        self._until = self._now() + self._pause()

    def undecided(self) -> None:
        """The one that was to try was given up, so that nobody knows yet: the next one tries soon."""
        if self.open:
            self._until = min(self._until, self._now() + FIRST_PAUSE)

    def report(self) -> dict[str, Any]:
        """For `GET /health`: nothing while all is well."""
        if not self.open:
            return {}
        return {"status": "failing", "message": self._reason}

    def _pause(self) -> float:
        return float(min(FIRST_PAUSE * 2 ** max(self._failures - FAILURES, 0), LONGEST_PAUSE))
