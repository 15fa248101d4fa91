"""`python -m tests.chaos`: thousands of requests with faults everywhere, and a count of what is left."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from gateway_claude_code.upstream import Upstream, running_upstream
from tests.chaos.leftovers import Holdings, left_of
from tests.chaos.phases import ALL, Act, Phase
from tests.chaos.report import Report, Row, table
from tests.chaos.running import CLAUDE_CODE, Gateway, end_at_sigterm, gateway
from tests.chaos.scene import Scene
from tests.chaos.upstream import script

NO_ROOM: Final = "/dev/full"
"""A disk on which nothing can be written any more."""
FEWEST: Final = 6
"""Requests of a phase."""
STARTS_A_REQUEST: Final = 1.2
MEMORY_MB: Final = 12
"""How much more memory a gateway may have after a phase than after the same phase before."""


def main() -> None:
    end_at_sigterm()
    arguments = _arguments()
    print(f"seed {arguments.seed}, {arguments.requests} requests")
    with tempfile.TemporaryDirectory(prefix="dragoman-chaos-") as name:
        rows, problems = run(
            Path(name), _chosen(ALL, arguments.only), arguments.requests, arguments.seed
        )
    print("\n".join(["", *table(rows)]))
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print("1 failed, 0 passed" if problems else "1 passed, 0 failed")
    sys.exit(bool(problems))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", metavar="TEXT", default="", help="phases whose names have this")
    return parser.parse_args()


def _chosen(acts: Sequence[Act], text: str) -> Iterator[Act]:
    for act in acts:
        phases = tuple(phase for phase in act.phases if text in phase.name)
        if phases:
            yield replace(act, phases=phases)


def run(
    folder: Path, acts: Iterator[Act] | Sequence[Act], requests: int, seed: int
) -> tuple[list[Row], list[str]]:
    """All of it; a row for each phase, and what is wrong."""
    rows: list[Row] = []
    problems: list[str] = []
    with running_upstream(script, record=False) as upstream:
        for number, act in enumerate(acts):
            place = folder / str(number)
            for row, found in _played(place, act, upstream, requests, seed):
                rows.append(row)
                problems += found
                print(list(table([row]))[1], *found, sep="\n  ", flush=True)
            if left := left_of(place):
                problems.append(f"processes after the end of the gateway: {left}")
    return rows, problems


def _played(
    folder: Path, act: Act, upstream: Upstream, requests: int, seed: int
) -> Iterator[tuple[Row, list[str]]]:
    with gateway(
        folder, upstream.url, seed=str(seed), full_disk=act.full_disk, limits=act.limits,
        claude_code=act.claude_code, jsonl=NO_ROOM,
    ) as g:  # fmt: skip
        # what is loaded at the first use, and kept, is no leak
        for run_once in act.warm:
            warm = Phase(name="warm", run=run_once, share=0)
            asyncio.run(_play(warm, g, Report(), FEWEST, seed))
        start, memory = g.when_quiet(), dict[object, float]()
        for phase in act.phases:
            report, before, began = Report(), g.starts(), time.monotonic()
            asyncio.run(_play(phase, g, report, max(FEWEST, round(requests * phase.share)), seed))
            seconds = time.monotonic() - began
            end = g.when_quiet(start)
            row = Row(phase=phase.name, report=report, starts=g.starts() - before, seconds=seconds)
            grown = end.memory - memory.setdefault(phase.run, end.memory)
            yield row, list(_judged(phase, row, start, end, grown))
        log = g.log()
    if "Traceback" in log:
        place = log.index("Traceback")
        yield row, [f"a traceback in the log:\n{log[max(place - 500, 0) : place + 3000]}"]


async def _play(phase: Phase, g: Gateway, report: Report, goal: int, seed: int) -> None:
    name = f"{seed}/{phase.name}"
    g.plan(odds=phase.odds, slow=phase.slow, seed=name)
    ends = frozenset(phase.ends)
    try:
        await phase.run(Scene(gateway=g, report=report, seed=name, goal=goal, ends=ends))
    finally:
        g.plan(seed=name)


def _judged(phase: Phase, row: Row, start: Holdings, end: Holdings, grown: float) -> Iterator[str]:
    """What should not be."""
    report = row.report
    yield from (f"{phase.name}: wrong: {each}" for each in report.wrong)
    if report.longest > phase.bound:
        yield f"{phase.name}: a request took {report.longest:.1f} s, more than {phase.bound:g} s"
    most = STARTS_A_REQUEST * report.asked + CLAUDE_CODE["max_spares"] + report.killed
    if row.starts > most:
        yield f"{phase.name}: {row.starts} starts for {report.asked} requests"
    if not report.answers:
        yield f"{phase.name}: no request was answered"
    if grown > MEMORY_MB:
        yield f"{phase.name}: {grown:.0f} MB more than after the same before"
    yield from (f"{phase.name}: left: {each}" for each in end.more_than(start))


if __name__ == "__main__":
    main()
