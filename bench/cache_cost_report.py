"""What the prompts of each shape of traffic cost, as a table and as a picture. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.cases import Body
from bench.direct import WAYS, direct
from bench.prompt_cache import PromptCache, Rules, Spent
from bench.report import COLORS, CONTENDERS, Target

WANTED: Final[Mapping[str, float]] = {
    "chat": 1.08, "agent": 1.05, "one-shots": 1.3, "regenerate": 1.3, "edit": 1.3,
}  # fmt: skip
"""The most that a shape may cost, in its best possible cost, by a word of its name."""
HEAD: Final = (
    "traffic", "requests", "prompt tokens", "read at best", "read by the gateway's", "the gateway",
    "a process for each", "the gateway, billing line counted", "a process for each, billing line counted",
)  # fmt: skip
WHO: Final = ("gateway", "spawned")


@dataclass(frozen=True, slots=True)
class Recorded:
    """The bodies of a client, with the upstream's for each: when they came, in seconds, and what
    they were. `own` has the numbers of those that the shape is about."""

    shape: str
    who: str
    sent: Sequence[Body]
    own: Sequence[int]
    upstream: Sequence[Sequence[tuple[float, Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Priced:
    """What the requests of `own` have cost: through a contender, and at best."""

    shape: str
    who: str
    spent: Spent
    best: Spent
    requests: int

    @property
    def ratio(self) -> float:
        return self.spent.cost / self.best.cost


def priced(recorded: Recorded, rules: Rules) -> Priced:
    """The cost by the model of the prompt cache; all requests fill it, those of `own` count."""
    cache = PromptCache(rules)
    costs = [_sum(cache.ask(body, at) for at, body in each) for each in recorded.upstream]
    spent = _sum(costs[number] for number in recorded.own)
    best = min((_directly(recorded, way, rules) for way in WAYS), key=lambda found: found.cost)
    return Priced(recorded.shape, recorded.who, spent, best, len(recorded.own))


def _directly(recorded: Recorded, way: str, rules: Rules) -> Spent:
    cache = PromptCache(rules)
    costs = [cache.ask(direct(body, way)) for body in recorded.sent]
    return _sum(costs[number] for number in recorded.own)


def _sum(all_spent: Iterator[Spent]) -> Spent:
    return sum(all_spent, Spent())


def targets(found: Sequence[Priced]) -> Iterator[Target]:
    """Those of the gateway."""
    for each in found:
        for word, most in WANTED.items():
            if each.who == "gateway" and word in each.shape:
                wanted = f"≤ {most} of the best possible"
                yield Target(each.shape, f"{each.ratio:.2f}", wanted, each.ratio <= most)


def table(found: Sequence[Priced], with_line: Sequence[Priced]) -> Iterator[str]:
    """A row for each shape; `with_line` has the same with the billing line as a part of prompts."""
    yield f"| {' | '.join(HEAD)} |"
    yield "|---" * len(HEAD) + "|"
    for shape in dict.fromkeys(each.shape for each in found):
        ours, theirs, *lines = (
            _of(among, shape, who) for among in (found, with_line) for who in WHO
        )
        if ours is None:
            continue
        cells = [str(ours.requests), f"{_tokens(ours.best)}", _read(ours.best), _read(ours.spent)]
        cells += [_ratio(each) for each in (ours, theirs, *lines)]
        yield f"| {shape} | " + " | ".join(cells) + " |"


def _of(found: Sequence[Priced], shape: str, who: str) -> Priced | None:
    return next((each for each in found if (each.shape, each.who) == (shape, who)), None)


def _ratio(priced: Priced | None) -> str:
    return "-" if priced is None else f"{priced.ratio:.2f}"


def _tokens(spent: Spent) -> int:
    return spent.read + spent.written + spent.fresh


def _read(spent: Spent) -> str:
    return f"{100 * spent.read / _tokens(spent):.0f} %"


LEFT, WIDTH, BAR, GAP, TOP = 190, 480, 14, 16, 60
LEAST, MOST = 1, 20
"""Of the logarithmic axis."""


def svg(found: Sequence[Priced]) -> str:
    """Two bars for each shape, and a line at what is wanted."""
    body, y = [], TOP
    for shape in dict.fromkeys(each.shape for each in found):
        bars = [each for each in found if each.shape == shape]
        middle = y + len(bars) * BAR / 2 + 4
        body.append(f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{shape}</text>')
        end = y + len(bars) * BAR
        for number, each in enumerate(bars):
            body.append(_bar(each, y + number * BAR))
        body += [
            f'<path d="M{_x(most):.1f} {y - 3}V{end}" stroke="#111" stroke-width="2"/>'
            for word, most in WANTED.items()
            if word in shape
        ]
        y = end + GAP
    axis = []
    for ratio in (1, 1.3, 2, 3, 5, 10, 20):
        x = _x(ratio)
        axis.append(f'<path d="M{x:.1f} {TOP - 6}V{y - GAP + 6}" stroke="#ddd"/>')
        axis.append(f'<text x="{x:.1f}" y="{TOP - 10}" text-anchor="middle">{ratio:g}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" height="{y}" '
    head += 'font-family="sans-serif" font-size="11" fill="#333">'
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([head, ground, *_legend(), *axis, *body, "</svg>\n"])


def _bar(priced: Priced, y: float) -> str:
    width = _x(priced.ratio) - LEFT
    bar = f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" '
    number = f'<text x="{LEFT + width + 5:.1f}" y="{y + 10}">{priced.ratio:.2f}</text>'
    return f'{bar}fill="{COLORS[priced.who]}"/>{number}'


def _legend() -> Iterator[str]:
    said = "cost of the prompts, in that of a direct client with the best marks (logarithmic)"
    yield f'<text x="{LEFT - 180}" y="14">{said}; the black lines are the targets</text>'
    for number, who in enumerate(WHO):
        x = LEFT - 180 + number * 160
        yield f'<rect x="{x}" y="22" width="10" height="10" fill="{COLORS[who]}"/>'
        yield f'<text x="{x + 14}" y="31">{CONTENDERS[who]}</text>'


def _x(ratio: float) -> float:
    share = math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + WIDTH * share
