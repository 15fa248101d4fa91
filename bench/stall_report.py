"""The table of stalls, with what is allowed beside it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

ALLOWED_MS: Final = {"1 MB": 100, "limit": 300}
"""By the size of the body: with 1 MB, and with as much as the limits let through."""


@dataclass(frozen=True, slots=True)
class Stall:
    """What one body did. Milliseconds; `size` is in bytes.

    `waited`: the longest that the other client waited for an answer, `loop`: the longest stall
    that the gateway saw itself, `work`: the most processor time that it used within a stall. That
    alone counts where the machine was `busy` with other programs, which make everything else late.
    """

    kind: str
    size_name: str
    backend: str
    size: int
    waited: float
    loop: float
    work: float
    status: str = ""
    busy: bool = False

    @property
    def longest(self) -> float:
        """What counts."""
        return self.work if self.busy else max(self.waited, self.loop)

    @property
    def held(self) -> bool:
        """Whether it is within what is allowed."""
        return self.longest <= ALLOWED_MS[self.size_name]

    def line(self) -> str:
        """For the terminal."""
        mark = "" if self.held else "  OVER"
        return (
            f"{self.kind:36} {self.size_name:6} {self.backend:5} {self.status:4} "
            f"{self.size / 1e6:6.2f} MB  other client {self.waited:6.0f} ms, "
            f"loop {self.loop:6.0f} ms, work {self.work:6.0f} ms{mark}"
        )


def missed(stalls: Iterable[Stall]) -> list[Stall]:
    """Those that are over what is allowed."""
    return [stall for stall in stalls if not stall.held]


def page(head: str, stalls: Sequence[Stall]) -> str:
    """Markdown: the sum, and a row for each kind of body, with the longest of both backends."""
    if any(stall.busy for stall in stalls):
        head += " The machine was busy with other programs; so the figures are processor time."
    return "\n".join(["# Stalls", "", head, "", *_sum(stalls), "", *_rows(stalls), ""])


def _sum(stalls: Sequence[Stall]) -> Iterator[str]:
    for size, allowed in ALLOWED_MS.items():
        found = [stall for stall in stalls if stall.size_name == size]
        if found:
            worst = max(found, key=lambda stall: stall.longest)
            verdict = "pass" if worst.held else "**fail**"
            where = "bodies of 1 MB" if size == "1 MB" else "bodies at the limits"
            yield (
                f"- {where}: {worst.longest:.0f} ms at most ({worst.kind}); "
                f"allowed are {allowed} ms: {verdict}"
            )


def _rows(stalls: Sequence[Stall]) -> Iterator[str]:
    yield "| body | 1 MB, echo | 1 MB, CLI | at the limit | limit, echo | limit, CLI |"
    yield "|---|---|---|---|---|---|"
    for kind, group in groupby(stalls, key=lambda stall: stall.kind):
        found = {(stall.size_name, stall.backend): stall for stall in group}
        size = max(stall.size for stall in found.values()) / 1e6
        cells = [_cell(found.get((name, who))) for name in ALLOWED_MS for who in ("echo", "cli")]
        yield f"| {kind} | {cells[0]} | {cells[1]} | {size:.1f} MB | {cells[2]} | {cells[3]} |"


def _cell(stall: Stall | None) -> str:
    if stall is None:
        return "-"
    text = f"{stall.longest:.0f}"
    return text if stall.held else f"**{text}**"
