"""`python -m tests.chaos.soak`: mixed load for an hour, and what the gateway holds all the while."""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from gateway_claude_code.upstream import running_upstream
from tests.chaos.clients.client import Client
from tests.chaos.leftovers import Holdings
from tests.chaos.phases import GONE, LEFT_ALONE
from tests.chaos.report import Report
from tests.chaos.running import Gateway, end_at_sigterm, gateway
from tests.chaos.upstream import script

CLIENTS = 3
PAUSE = 2.0
"""Seconds between two conversations of a client, on average."""
MOST_GROWTH_MB = 6
"""Of the median memory from the second quarter to the last."""

Sample = tuple[float, Holdings, int]
"""Minutes since the start, what was held, how many requests there had been."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--into", type=Path, default=Path("docs/soak.svg"))
    arguments = parser.parse_args()
    end_at_sigterm()
    report = Report()
    with (
        tempfile.TemporaryDirectory(prefix="dragoman-soak-") as name,
        running_upstream(script, record=False) as upstream,
        gateway(Path(name), upstream.url, seed=str(arguments.seed), odds=0.01) as g,
    ):
        samples = asyncio.run(soak(g, report, arguments.minutes, arguments.seed))
    quarter = len(samples) // 4
    second = statistics.median(held.memory for _, held, _ in samples[quarter : 2 * quarter])
    last = statistics.median(held.memory for _, held, _ in samples[-quarter:])
    said = (
        f"{report.asked} requests in {arguments.minutes:g} minutes; memory {second:.1f} MB in the "
    )
    said += f"second quarter, {last:.1f} MB in the last"
    print(said, dict(sorted(report.outcomes.items())))
    arguments.into.write_text(svg(samples, said), encoding="utf-8")
    problems = [f"wrong: {each}" for each in report.wrong]
    if last - second > MOST_GROWTH_MB:
        problems.append("memory grows")
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print("1 failed, 0 passed" if problems else "1 passed, 0 failed")
    sys.exit(bool(problems))


async def soak(g: Gateway, report: Report, minutes: float, seed: int) -> list[Sample]:
    """Clients that come and go until the time is over, and a look every so often."""
    began = time.monotonic()
    end = began + minutes * 60

    async def client(number: int) -> None:
        dice = random.Random(f"{seed}/{number}")
        while time.monotonic() < end:
            async with httpx.AsyncClient() as http:
                one = Client(
                    g.chat, report, dice, faults=0.05, leaves=0.05, ends=(GONE, LEFT_ALONE)
                )
                await one.converse(http)
            await asyncio.sleep(dice.uniform(0, 2 * PAUSE))

    clients = [asyncio.create_task(client(number)) for number in range(CLIENTS)]
    samples: list[Sample] = []
    while time.monotonic() < end:
        await asyncio.sleep(minutes * 60 / 120)
        held = await asyncio.to_thread(g.holds)
        samples.append(((time.monotonic() - began) / 60, held, report.asked))
        print(f"{samples[-1][0]:.1f} min, {report.asked} requests: {held}", flush=True)
    await asyncio.gather(*clients)
    return samples


LEFT, WIDTH, HEIGHT, GAP = 90, 640, 90, 34
LINES = (
    ("memory of the gateway, MB", "memory", "#2a6fdb"),
    ("open files", "descriptors", "#c2571a"),
    ("tasks", "tasks", "#2b8a3e"),
    ("processes of the CLI, and their guardian", "processes", "#7048a8"),
)


def svg(samples: Sequence[Sample], said: str) -> str:
    """Four lines over the minutes, each on an axis of its own that begins at 0."""
    bottom = 40 + len(LINES) * (HEIGHT + GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 40}" '
    head += f'height="{bottom}" font-family="sans-serif" font-size="11" fill="#333">'
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    title = f'<text x="{LEFT}" y="16">{said}</text>'
    rows = [row for number in range(len(LINES)) for row in _row(samples, number)]
    return "\n".join([head, ground, title, *rows, "</svg>\n"])


def _row(samples: Sequence[Sample], number: int) -> Iterator[str]:
    name, field, color = LINES[number]
    values = [float(getattr(held, field)) for _, held, _ in samples]
    top = 40 + number * (HEIGHT + GAP)
    highest = max(values) * 1.2 or 1
    last = samples[-1][0]
    points = " ".join(
        f"{LEFT + WIDTH * minutes / last:.1f},{top + HEIGHT * (1 - value / highest):.1f}"
        for (minutes, _, _), value in zip(samples, values, strict=True)
    )
    yield f'<text x="{LEFT}" y="{top - 4}">{name}</text>'
    yield f'<path d="M{LEFT} {top}V{top + HEIGHT}H{LEFT + WIDTH}" stroke="#bbb" fill="none"/>'
    yield f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{highest:.0f}</text>'
    yield f'<text x="{LEFT - 6}" y="{top + HEIGHT}" text-anchor="end">0</text>'
    yield f'<text x="{LEFT + WIDTH}" y="{top + HEIGHT + 13}" text-anchor="end">{last:.0f} min</text>'
    yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.5"/>'


if __name__ == "__main__":
    main()
