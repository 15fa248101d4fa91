"""The medians and quartiles of the times to upstream as an SVG, a group of bars for each case."""

import math
import statistics
from collections.abc import Iterator

from bench.compare import Samples
from bench.report import CASES, COLORS, CONTENDERS

LEFT, WIDTH, BAR, GAP, TOP = 110, 560, 12, 14, 60
LEAST, MOST = 3, 10_000


def svg(samples: Samples) -> str:
    """A logarithmic axis, as the times are 5 ms here and 5 s there."""
    body, y = [], TOP
    for case in CASES:
        bars = list(_bars(samples, case, y))
        if bars:
            middle = y + len(bars) * BAR / 2 + 4
            body += [f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{case}</text>', *bars]
            y += len(bars) * BAR + GAP
    axis = []
    for ms in (3, 10, 30, 100, 300, 1000, 3000, 10_000):
        x = _x(ms)
        axis.append(f'<path d="M{x:.1f} {TOP - 6}V{y}" stroke="#ddd"/>')
        axis.append(f'<text x="{x:.1f}" y="{TOP - 10}" text-anchor="middle">{ms}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" height="{y + 10}" '
    head += 'font-family="sans-serif" font-size="11" fill="#333">'
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([head, ground, *_legend(), *axis, *body, "</svg>\n"])


def _bars(samples: Samples, case: str, y: float) -> Iterator[str]:
    for who in CONTENDERS:
        values = samples.get((case, who, "upstream"))
        if not values or len(values) < 2:
            continue
        low, middle, high = (_x(ms) for ms in statistics.quantiles(values, method="inclusive"))
        bar = f'<rect x="{LEFT}" y="{y}" width="{middle - LEFT:.1f}" height="{BAR - 2}"'
        line = f'<path d="M{low:.1f} {y + 5}H{high:.1f}" stroke="#111"/>'
        number = f'<text x="{high + 5:.1f}" y="{y + 9}">{statistics.median(values):.0f}</text>'
        yield f'{bar} fill="{COLORS[who]}"/>{line}{number}'
        y += BAR


def _legend() -> Iterator[str]:
    yield f'<text x="{LEFT}" y="14">from a request to its arrival upstream, in ms (logarithmic)</text>'
    for number, (who, name) in enumerate(CONTENDERS.items()):
        x = LEFT - 90 + number * 175
        yield f'<rect x="{x}" y="22" width="10" height="10" fill="{COLORS[who]}"/>'
        yield f'<text x="{x + 14}" y="31">{name}</text>'


def _x(ms: float) -> float:
    share = math.log(max(ms, LEAST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + WIDTH * share
