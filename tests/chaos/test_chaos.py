"""A little of `make chaos`: every answer is right, every failure the one that is due, nothing is left."""

import time
from pathlib import Path

import pytest

from tests.chaos.__main__ import run
from tests.chaos.phases import SMALL
from tests.chaos.report import table

pytestmark = pytest.mark.e2e

REQUESTS = 24
SEED = 16


def test_a_little_of_everything_leaves_nothing_behind(tmp_path: Path) -> None:
    began = time.monotonic()
    rows, problems = run(tmp_path, SMALL, REQUESTS, SEED)
    print("\n".join(table(rows)), f"{time.monotonic() - began:.0f} s", sep="\n")
    assert problems == []
    assert sum(row.report.asked for row in rows) >= REQUESTS
