"""Makes the table of the CLI's releases: cli_releases.py < TIMES, where TIMES is the JSON of
`npm view @anthropic-ai/claude-code time --json`. Prints a line `VERSION DATE` for the first release
of each day, and for the newest of all; oldest first.

A mirror of the registry may say when it first fetched a version, which is later than its release. So
no version is taken to be younger than those after it.
"""

import json
import re
import sys

SINCE = (2, 0, 0)
"""Older ones lack what Dragoman needs."""
HEADER = """\
# The first release of the Claude Code CLI on each day (UTC); the last line is the newest known.
# Source: the package @anthropic-ai/claude-code, `npm view @anthropic-ai/claude-code time --json`.
# Made by `make cli-releases`. Do not edit."""


def main() -> None:
    """Read the JSON, print the table."""
    times: dict[str, str] = json.load(sys.stdin)
    releases = {
        tuple(map(int, version.split("."))): time[:10]
        for version, time in times.items()
        if re.fullmatch(r"\d+\.\d+\.\d+", version)
    }
    print(HEADER)
    for version, day in _first_of_each_day(releases):
        if version >= SINCE:
            print(".".join(map(str, version)), day)


def _first_of_each_day(releases: dict[tuple[int, ...], str]) -> list[tuple[tuple[int, ...], str]]:
    days: dict[str, tuple[int, ...]] = {}
    youngest = "9999-12-31"
    for version in sorted(releases, reverse=True):
        youngest = min(youngest, releases[version])
        days[youngest] = version
    newest = max(releases)
    return sorted({(version, day) for day, version in days.items()} | {(newest, releases[newest])})


if __name__ == "__main__":
    main()
