"""A little of `make chaos`: every answer is right, every failure the one that is due, nothing is left."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.__main__ import run
from tests.chaos.phases import SMALL, Act
from tests.chaos.report import table

pytestmark = pytest.mark.e2e

REQUESTS = 24
SEED = 16
EACH_TIME = ("processes die", "what waits dies", "without a CLI")
"""The phases that no other test has anything of."""
LESS = tuple(
    replace(act, phases=tuple(phase for phase in act.phases if phase.name in EACH_TIME))
    for act in SMALL
)


@pytest.mark.parametrize(
    ("acts", "requests"),
    [
        pytest.param(LESS, 1, id="less"),
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
    assert {row.phase for row in rows} >= set(EACH_TIME)
    assert sum(row.report.asked for row in rows) >= requests
