"""The cost of a process's turns, for the request that is being answered."""

import math
from collections.abc import Callable


class TurnCost:
    """Passes on each turn's cost, in US dollars; the CLI gives that of all turns so far."""

    def __init__(self) -> None:
        self._report: Callable[[float], None] | None = None
        self._total = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether a request waits for the cost of its turn."""
        return self._report is not None

    def begin(self, report: Callable[[float], None]) -> None:
        """From now on, costs are those of another request."""
        self._report = report

    def end(self) -> None:
        """The request has been told all that it cost."""
        self._report = None

    def note(self, total: object) -> None:
        """Take `total_cost_usd` of a `result` line (seen with 2.1.330); it only grows."""
        if isinstance(total, int | float) and self._total < total < math.inf:
            if self._report is not None:
                self._report(total - self._total)
            self._total = total
