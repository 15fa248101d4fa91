"""How long a process gets to obey a signal: counted in time in which it could have run.

On a machine with more work than cores a process may get its signal at once and the processor much
later. It is not to be killed for that, as a killed CLI leaves files behind.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

LONGEST: Final = 10
"""A grace ends after so many times its seconds, whatever the machine does."""
STEP_SECONDS: Final = 0.05
NANOSECONDS: Final = 1e9


class Grace:
    """`seconds` for the process `pid`. Ask `over` every `STEP_SECONDS`.

    Between two questions no more than a step counts, as late questions say that this process had to
    wait for the processor too; and on Linux the time in which the other one waited does not.
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
    """How long a process has waited for a processor in its life; None where that is not known.

    Linux: the second number in /proc/PID/schedstat, in nanoseconds
    (docs.kernel.org/scheduler/sched-stats.html).
    """
    try:
        return (
            int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / NANOSECONDS
        )
    except (OSError, ValueError, IndexError):
        return None
