"""The time that a process gets to obey a signal: only time in which it could run counts.

On an overloaded machine a process may get its signal at once and the processor much later. That is
no reason to kill it, as a killed CLI leaves files behind (`leftover_files`).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

LONGEST: Final = 10
"""Factor: a grace ends after this many times its seconds in any case."""
STEP_SECONDS: Final = 0.05
NANOSECONDS: Final = 1e9


class Grace:
    """`seconds` for the process `pid`. Call `over` every `STEP_SECONDS`.

    Between two calls at most one step counts: a late call means that this process waited for the
    processor too. On Linux the time in which the other process waited does not count either.
    """

    def __init__(
        self,
        pid: int,
        seconds: float,
        now: Callable[[], float] = time.monotonic,
        waited: Callable[[int], float | None] | None = None,
    ) -> None:
        self._pid = pid
        self._left = seconds
        self._now = now
        self._waited = waited or seconds_in_line
        self._last = now()
        self._latest = self._last + LONGEST * seconds
        self._line = self._waited(pid)

    def over(self) -> bool:
        """Whether the process has had its time."""
        now, line = self._now(), self._waited(self._pid)
        ready_to_run = 0.0
        if line is not None and self._line is not None:
            ready_to_run = line - self._line
        self._left -= max(0.0, min(now - self._last - ready_to_run, STEP_SECONDS))
        self._last, self._line = now, line
        return self._left <= 0 or now >= self._latest


def seconds_in_line(pid: int) -> float | None:
    """Seconds that a process has waited for a processor in its life; None if unknown.

    Linux: the second number in /proc/PID/schedstat, in nanoseconds
    (docs.kernel.org/scheduler/sched-stats.html).
    """
    try:
        return (
            int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / NANOSECONDS
        )
    except (OSError, ValueError, IndexError):
        return None
