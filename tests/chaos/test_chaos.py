"""A little of `make chaos`: every answer is right, every failure the one that is due, nothing is left."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.__main__ import FEWEST, run
from tests.chaos.phases import SMALL, Act
from tests.chaos.report import Report, table

pytestmark = pytest.mark.e2e

REQUESTS = 24
SEED = 16
FAULTS: dict[str, Callable[[Report], int]] = {
    "processes die": lambda report: report.killed,
    "what waits dies": lambda report: report.killed,
    "without a CLI": lambda report: report.outcomes["503 backend_unavailable"],
}
"""How often the fault of a phase was there."""


def always(_: Report) -> int:
    return 1


EACH_TIME = "without a CLI"
"""The phase that no other test has anything of: processes that die have tests of their own."""
LESS = tuple(
    replace(act, phases=tuple(phase for phase in act.phases if phase.name == EACH_TIME))
    for act in SMALL
)


@pytest.mark.parametrize(
    ("acts", "requests"),
    [
        pytest.param(LESS, FEWEST, id="less"),
        pytest.param(SMALL, REQUESTS, id="all", marks=pytest.mark.on_demand),
    ],
)
def test_a_little_of_everything_leaves_nothing_behind(
    tmp_path: Path, acts: tuple[Act, ...], requests: int
) -> None:
    began = time.monotonic()
    rows, problems = run(tmp_path, acts, requests, SEED)
    print("\n".join(table(rows)), f"{time.monotonic() - began:.0f} s", sep="\n")
    assert problems == []
    assert [row.phase for row in rows] == [phase.name for act in acts for phase in act.phases]
    assert sum(row.report.asked for row in rows) >= requests
    for row in rows:
        assert row.report.asked >= FEWEST, f"{row.phase}: {row.report.asked} requests"
        assert FAULTS.get(row.phase, always)(row.report), f"{row.phase}: without its fault"
