"""The levels of an overload as lines, and as a picture. Pure."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.open_loop import Outcomes

LEAST_GOODPUT: Final = 0.8
"""Of the most that was served at any level: what has to be left at `TWICE` the saturation."""
TWICE: Final = 2.0
QUICK_SECONDS: Final = 1.0
"""The median of the refusals has to be below."""


@dataclass(frozen=True, slots=True)
class Level:
    """One rate: `factor` times the saturation. Rates are per second, times in seconds."""

    factor: float
    offered: float
    served: float
    refused: float
    failed: Mapping[str, int]
    p99: float
    refused_median: float

    @classmethod
    def of(cls, factor: float, offered: float, seconds: float, outcomes: Outcomes) -> "Level":
        return cls(
            factor=factor,
            offered=offered,
            served=len(outcomes.served) / seconds,
            refused=len(outcomes.refused) / seconds,
            failed=dict(outcomes.failed),
            p99=percentile(outcomes.served, 0.99),
            refused_median=statistics.median(outcomes.refused) if outcomes.refused else 0.0,
        )


@dataclass(frozen=True, slots=True)
class Series:
    """All levels of one backend. `bound` is the seconds that a served answer may take at p99."""

    name: str
    saturation: float
    bound: float
    levels: tuple[Level, ...]


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def problems(series: Series) -> Iterator[str]:
    """What is not as it has to be."""
    most = max(level.served for level in series.levels)
    for level in series.levels:
        where = f"{series.name} at {level.factor:g} times the saturation"
        if level.factor >= TWICE and level.served < LEAST_GOODPUT * most:
            yield f"{where}: {level.served:.1f}/s served, {most:.1f}/s at most"
        if level.p99 > series.bound:
            yield f"{where}: p99 of {level.p99:.2f} s, over {series.bound:g} s"
        if level.refused_median > QUICK_SECONDS:
            yield f"{where}: refused after {level.refused_median:.2f} s"
        for what, count in level.failed.items():
            yield f"{where}: {count} requests with {what!r} instead of an answer or a 503"


def page(head: str, all_series: Sequence[Series]) -> str:
    """Markdown: a table for each backend."""
    lines = ["# Overload", "", head]
    for series in all_series:
        lines += [
            "",
            f"{series.name}: saturated at {series.saturation:.1f} requests per second.",
            "",
            "| offered | served per second | refused (503) per second | p99 of the served "
            "| median of the refusals | neither |",
            "|---|---|---|---|---|---|",
            *(
                f"| {level.factor:g} times ({level.offered:.1f}/s) | {level.served:.1f} "
                f"| {level.refused:.1f} | {level.p99 * 1000:.0f} ms "
                f"| {level.refused_median * 1000:.0f} ms | {sum(level.failed.values())} |"
                for level in series.levels
            ),
        ]
    return "\n".join(lines) + "\n"


LEFT, WIDTH, HEIGHT, GAP, TOP = 70, 300, 120, 50, 44
BETWEEN: Final = 90
SERVED, REFUSED, SLOWEST = "#2b8a3e", "#c2571a", "#2a6fdb"


def svg(all_series: Sequence[Series]) -> str:
    """A column for each backend: served and refused per second, and below the p99 of the served."""
    width = LEFT + len(all_series) * (WIDTH + BETWEEN)
    height = TOP + 2 * (HEIGHT + GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    head += 'font-family="sans-serif" font-size="11" fill="#333">'
    body = [row for column, series in enumerate(all_series) for row in _column(series, column)]
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *body, "</svg>\n"])


def _column(series: Series, column: int) -> Iterator[str]:
    x = LEFT + column * (WIDTH + BETWEEN)
    yield f'<text x="{x}" y="16" font-weight="bold">{series.name}</text>'
    rates = [(level.factor, level.served) for level in series.levels]
    refused = [(level.factor, level.refused) for level in series.levels]
    yield from _chart(
        x, TOP, "requests per second: served (green), refused (orange)",
        ((rates, SERVED), (refused, REFUSED)), 1,
    )  # fmt: skip
    slowest = [(level.factor, level.p99 * 1000) for level in series.levels]
    title = "p99 of the served, ms"
    yield from _chart(x, TOP + HEIGHT + GAP, title, ((slowest, SLOWEST),), 0)


def _chart(
    x: float,
    y: float,
    title: str,
    lines: Sequence[tuple[Sequence[tuple[float, float]], str]],
    digits: int,
) -> Iterator[str]:
    widest = max(factor for values, _ in lines for factor, _ in values)
    highest = max(value for values, _ in lines for _, value in values) * 1.15 or 1
    yield f'<text x="{x}" y="{y - 6}">{title}</text>'
    yield f'<path d="M{x} {y}V{y + HEIGHT}H{x + WIDTH}" stroke="#bbb" fill="none"/>'
    yield f'<text x="{x - 6}" y="{y + 10}" text-anchor="end">{highest:.{digits}f}</text>'
    yield f'<text x="{x - 6}" y="{y + HEIGHT}" text-anchor="end">0</text>'
    for factor, _ in lines[0][0]:
        at = x + WIDTH * factor / widest
        yield f'<text x="{at:.1f}" y="{y + HEIGHT + 14}" text-anchor="middle">{factor:g} times</text>'
    for values, color in lines:
        points = " ".join(
            f"{x + WIDTH * factor / widest:.1f},{y + HEIGHT * (1 - value / highest):.1f}"
            for factor, value in values
        )
        yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
