"""Release dates of the CLI's versions, from a table that is shipped: no request is made."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

Version: TypeAlias = tuple[int, ...]

STALE_DAYS: Final = 60
"""The age from which it is reported as stale; releases are days apart (`releases.txt`)."""
NEWER: Final = "newer than this Dragoman knows"
_TABLE: Final = Path(__file__).with_name("releases.txt")


def age_of(version: str, today: date | None = None) -> int | str | None:
    """The days since its release, `NEWER` if later than the table, or None for an unknown version.

    A version between two rows has the date of the earlier one.
    """
    wanted, table = _numbers(version), _releases()
    if wanted is None or wanted < min(table):
        return None
    if wanted > max(table):
        return NEWER
    released = table[max(each for each in table if each <= wanted)]
    return max(0, ((today or datetime.now(UTC).date()) - released).days)


def in_words(age: int | str | None) -> str | None:
    """An age such as "12 days old"."""
    match age:
        case 0:
            return "released today"
        case 1:
            return "1 day old"
        case int():
            return f"{age} days old"
    return age


def _numbers(version: str) -> Version | None:
    """The numbers of `2.1.330`, also with a suffix; None for anything else."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)(?![\d.])", version)
    return tuple(map(int, found.groups())) if found else None


@cache
def _releases() -> Mapping[Version, date]:
    lines = _TABLE.read_text(encoding="ascii").splitlines()
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {
        tuple(map(int, version.split("."))): date.fromisoformat(released)
        for version, released in rows
    }
