"""A circuit breaker for starts: after repeated failures no process is started for a while."""

import time
from collections.abc import Callable, Hashable
from typing import Any, Final

from gateway.errors import BackendUnavailable, GatewayError

FAILURES: Final = 3
"""Failures in a row that open it."""
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 60.0


class StartBreaker:
    """Counts failed starts in a row. Once open, it lets one start at a time try again."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures = 0
        self._reason = ""
        self._until = 0.0
        self._program: Hashable = None

    def notice(self, program: Hashable) -> None:
        """Note the program that is started from now on: failures of another one do not count."""
        if program != self._program:
            self._program = program
            self._failures = 0

    @property
    def open(self) -> bool:
        """Whether starts are refused, except for one that tries again."""
        return self._failures >= FAILURES

    @property
    def may_try(self) -> bool:
        """Whether `check` would let a start through."""
        return not self.open or self._until <= self._now()

    def look(self, *, tries: bool = True) -> None:
        """Raises `BackendUnavailable` while starting a process is pointless.

        Without `tries` it raises even if a start may try again: for callers that do not report
        the result.
        """
        if self.open and not (tries and self.may_try):
            left = max(self._until - self._now(), 0)
            raise BackendUnavailable(
                f"The Claude Code CLI failed to start {self._failures} times in a row; the next try "
                f"is in {left:.0f} s. Last error: {self._reason}",
                retry_after=left,
            )

    def check(self) -> None:
        """The same, for a start that follows at once: while open, all others wait for its result."""
        self.look()
        if self.open:
            self._until = self._now() + self._pause()

    def succeeded(self) -> None:
        """A process became ready."""
        self._failures = 0

    def failed(self, error: GatewayError) -> None:
        """A process did not become ready."""
        self._failures += 1
        self._reason = error.message
        self._until = self._now() + self._pause()

    def undecided(self) -> None:
        """The start that tried again was abandoned without a result: the next one may try soon."""
        if self.open:
            self._until = min(self._until, self._now() + FIRST_PAUSE)

    def report(self) -> dict[str, Any]:
        """For `GET /health`: nothing while all is well."""
        if not self.open:
            return {}
        return {"status": "failing", "message": self._reason}

    def _pause(self) -> float:
        return float(min(FIRST_PAUSE * 2 ** max(self._failures - FAILURES, 0), LONGEST_PAUSE))
