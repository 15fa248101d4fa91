"""The table of the gateway's own cost. Pure."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["whole", "streamed"]

GATEWAY: Final = "the gateway"
BEFORE: Final = "the gateway, before"
ALLOWED: Final = 0.5
"""Of the processor time before, where there is a checkout to compare with."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One try: processor time per request, requests per second with several clients, latency with
    one, and memory (RSS) after all that."""

    cpu_ms: float
    per_second: float
    p50_ms: float
    p99_ms: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Row:
    """All tries of a contender with one kind of answers, at least one."""

    name: str
    kind: Kind
    tries: tuple[Measured, ...]


def held(rows: Sequence[Row]) -> bool:
    """Whether the gateway takes no more than it may, as far as there is something to compare."""
    return all(statistics.median(ratios) <= ALLOWED for _, ratios in _ratios(rows, BEFORE))


def page(head: str, rows: Sequence[Row]) -> str:
    """Markdown: a table for whole answers and one for streamed ones, and the ratios."""
    lines = ["# Own cost", "", head]
    for kind in ("whole", "streamed"):
        lines += ["", f"Answers that are {kind}: median (quartiles)", ""]
        lines += _table([row for row in rows if row.kind == kind])
    return "\n".join([*lines, "", *_compared(rows)]).rstrip() + "\n"


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| server | processor, ms per request | requests per second | p50, ms | p99, ms | RSS, MB |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        cells = (
            _spread([each.cpu_ms for each in row.tries], 2),
            _spread([each.per_second for each in row.tries], 0),
            _spread([each.p50_ms for each in row.tries], 2),
            _spread([each.p99_ms for each in row.tries], 2),
            f"{statistics.median(each.rss_mb for each in row.tries):.0f}",
        )
        yield f"| {row.name} | {' | '.join(cells)} |"


def _spread(values: Sequence[float], digits: int) -> str:
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"**{middle:.{digits}f}** ({low:.{digits}f} to {high:.{digits}f})"


def _compared(rows: Sequence[Row]) -> Iterator[str]:
    """The gateway's processor time as a share of the others', each try by itself."""
    for name in dict.fromkeys(row.name for row in rows if row.name != GATEWAY):
        for kind, ratios in _ratios(rows, name):
            line = f"- {kind}, processor time of the gateway ÷ {name}: {_spread(ratios, 2)}"
            if name == BEFORE:
                verdict = "pass" if statistics.median(ratios) <= ALLOWED else "**fail**"
                line += f"; allowed is {ALLOWED}: {verdict}"
            yield line


def _ratios(rows: Sequence[Row], name: str) -> Iterator[tuple[Kind, list[float]]]:
    found = {(row.name, row.kind): row.tries for row in rows}
    for (other, kind), tries in found.items():
        if other == name and (ours := found.get((GATEWAY, kind))) is not None:
            pairs = zip(ours, tries, strict=True)
            yield kind, [mine.cpu_ms / theirs.cpu_ms for mine, theirs in pairs]
