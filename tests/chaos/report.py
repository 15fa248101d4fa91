"""What became of all requests of a phase, and the table of all phases."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


class Wrong(Exception):
    """Neither the right answer nor the error that the fault leads to."""


@dataclass
class Report:
    """Requests by their outcome: `answer`, `call`, `left`, or an error's status and code."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0
    asked: int = 0
    killed: int = 0

    @property
    def answers(self) -> int:
        """How many requests got what they asked for."""
        return self.outcomes["answer"] + self.outcomes["call"]

    @property
    def errors(self) -> dict[str, int]:
        """How many failed as they had to, by status and code."""
        return {
            name: self.outcomes[name]
            for name in sorted(self.outcomes)
            if name not in ("answer", "call", "left")
        }

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Note how long a request takes, whatever becomes of it."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.longest = max(self.longest, time.monotonic() - began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A phase that is over."""

    phase: str
    report: Report
    starts: int
    seconds: float


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Lines: phase, requests, answers, requests that were given up, starts, longest, errors."""
    yield f"{'phase':<28}{'asked':>7}{'answers':>9}{'left':>6}{'starts':>8}{'longest':>9}{'took':>8}  errors"
    for row in rows:
        report = row.report
        errors = ", ".join(f"{count} x {name}" for name, count in report.errors.items())
        yield (
            f"{row.phase:<28}{report.asked:>7}{report.answers:>9}{report.outcomes['left']:>6}"
            f"{row.starts:>8}{report.longest:>7.1f} s{row.seconds:>6.0f} s  {errors or '-'}"
        )
    asked, answers = (
        sum(getattr(row.report, name) for row in rows) for name in ("asked", "answers")
    )
    starts = sum(row.starts for row in rows)
    yield f"{'all':<28}{asked:>7}{answers:>9}{'':>6}{starts:>8}"
