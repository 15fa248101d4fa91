"""How old a CLI is, by the table of its releases."""

import itertools
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from gateway_claude_code.installed import releases
from gateway_claude_code.installed.releases import NEWER, age_of, in_words

ROOT = Path(__file__).parent.parent.parent.parent
TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("version", "age"),
    [
        ("2.1.330", 7),
        ("2.1.330 (Claude Code)", 7),
        ("2.1.330-rc1", 7),
        ("2.0.0", 424),
        ("1.0.128", None),
        ("99.0.0", NEWER),
        ("of its own", None),
        ("2.1", None),
        ("2.1.330.5", None),
        ("", None),
    ],
)
def test_the_age_of_a_version(version: str, age: int | str | None) -> None:
    assert age_of(version, TODAY) == age


def test_a_clock_before_the_release_makes_no_negative_age() -> None:
    assert age_of("2.1.330", date(2026, 1, 1)) == 0


def test_a_version_that_was_never_published_has_the_day_of_the_one_before() -> None:
    numbers = sorted(releases._releases())
    before, after = next(
        (one, other)
        for one, other in itertools.pairwise(numbers)
        if one[:2] == other[:2] and other[2] - one[2] > 1
    )
    between = (*before[:2], before[2] + 1)
    assert between < after
    as_text = [".".join(map(str, each)) for each in (before, between)]
    assert age_of(as_text[0], TODAY) == age_of(as_text[1], TODAY)


@pytest.mark.parametrize(
    ("age", "words"),
    [(0, "released today"), (1, "1 day old"), (61, "61 days old"), (NEWER, NEWER), (None, None)],
)
def test_an_age_in_words(age: int | str | None, words: str | None) -> None:
    assert in_words(age) == words


def test_the_table_knows_the_cli_that_is_pinned() -> None:
    """Else every fresh installation would be called newer than known."""
    import claude_agent_sdk._cli_version as bundled  # noqa: PLC0415 - only its number is wanted

    assert isinstance(age_of(bundled.__cli_version__), int)


def table(**times: str) -> list[str]:
    """What the script makes of a package's times; versions are written with _ here."""
    said = {
        name.lstrip("v").replace("_", "."): f"{day}T01:00:00.000Z" for name, day in times.items()
    }
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts/cli_releases.py")],
        input=json.dumps(said),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


def test_the_table_has_the_first_release_of_each_day_and_the_newest() -> None:
    header = releases._TABLE.read_text(encoding="ascii").splitlines()[:3]
    assert table(
        created="2025-01-01",
        v1_0_9="2025-09-01",
        v2_1_12="2026-01-17",
        v2_1_9="2026-01-16",
        v2_1_10="2026-01-17",
        v2_1_11="2026-01-17",
    ) == [*header, "2.1.9 2026-01-16", "2.1.10 2026-01-17", "2.1.12 2026-01-17"]


def test_no_version_is_younger_than_those_after_it() -> None:
    made = table(v2_0_0="2026-01-01", v2_0_1="2026-09-09", v2_0_2="2026-01-03", v2_0_3="2026-01-04")
    assert made[3:] == ["2.0.0 2026-01-01", "2.0.1 2026-01-03", "2.0.3 2026-01-04"]


def test_the_table_is_in_order() -> None:
    days = list(releases._releases().values())
    assert len(days) > 200
    assert days == sorted(days)
