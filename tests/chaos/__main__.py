"""`python -m tests.chaos`: a thousand requests with faults everywhere, and a count of what is left."""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import httpx

from gateway_claude_code.upstream import running_upstream
from tests.chaos.clients import PATIENCE, Client, Report
from tests.chaos.leftovers import Holdings, children, left_files, when_quiet
from tests.chaos.running import gateway
from tests.chaos.upstream import script

CLIENTS = 6
NO_ROOM = "/dev/full"
"""A disk on which nothing can be written any more."""
MEMORY_MB = 12
"""How much more memory the last quarter may end with than the second one did."""


def main() -> None:
    arguments = _arguments()
    random.seed(arguments.seed)
    print(f"seed {arguments.seed}, {arguments.requests} requests")
    with tempfile.TemporaryDirectory(prefix="dragoman-chaos-") as name:
        problems = run(Path(name), arguments)
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print("1 failed, 0 passed" if problems else "1 passed, 0 failed")
    sys.exit(bool(problems))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return parser.parse_args()


def run(folder: Path, arguments: argparse.Namespace) -> list[str]:
    """All of it; what is wrong in the end."""
    report = Report()
    quarters: list[Holdings] = []
    with (
        running_upstream(script, record=False) as upstream,
        gateway(folder, upstream.url, 0.1, jsonl=NO_ROOM) as g,
    ):
        url, pid = g
        places = (folder / "home", folder / "tmp")
        # what is loaded at the first use is no leak
        asyncio.run(load(url, pid, report, 20, faults=False))
        start = when_quiet(url, pid, *places)
        for number in range(1, 5):
            goal = arguments.requests * number // 4
            asyncio.run(load(url, pid, report, goal, faults=True))
            quarters.append(when_quiet(url, pid, *places))
            print(f"after {report.asked} requests: {quarters[-1]}", flush=True)
        left = left_files(*places)
        log = (folder / "gateway.log").read_text(encoding="utf-8", errors="replace")
    print(f"before: {start}\noutcomes: {dict(sorted(report.outcomes.items()))}")
    print(f"longest: {report.longest:.1f} s")
    print("files: ", *left)
    return [*judged(report, start, quarters), *_tracebacks(log)]


def judged(report: Report, start: Holdings, quarters: list[Holdings]) -> list[str]:
    """What should not be."""
    end = quarters[-1]
    problems = [
        *(f"wrong: {each}" for each in report.wrong),
        *(
            f"{name}: {getattr(start, name)} before, {getattr(end, name)} after"
            for name in ("processes", "tasks", "descriptors", "files")
            if getattr(end, name) > getattr(start, name)
        ),
    ]
    if report.longest > PATIENCE:
        problems.append(f"a request took {report.longest:.1f} s")
    if end.memory - quarters[1].memory > MEMORY_MB:
        problems.append(f"memory: {quarters[1].memory:.0f} MB, then {end.memory:.0f} MB")
    if not report.outcomes["answer"] or not report.outcomes["error 502"]:
        problems.append(f"nothing was tried: {report.outcomes}")
    return problems


def _tracebacks(log: str) -> list[str]:
    if "Traceback" not in log:
        return []
    place = log.index("Traceback")
    return [f"a traceback in the log:\n{log[max(place - 500, 0) : place + 3000]}"]


async def load(url: str, pid: int, report: Report, goal: int, *, faults: bool) -> None:
    """Clients until so many requests were made; meanwhile processes are killed and stopped."""

    async def client() -> None:
        async with httpx.AsyncClient() as http:
            while report.asked < goal:
                odds = {"faults": 0.3} if faults else {"faults": 0, "leaves": 0}
                await Client(f"{url}/v1/chat/completions", report, **odds).converse(http)

    trouble = asyncio.create_task(make_trouble(pid)) if faults else None
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    if trouble is not None:
        trouble.cancel()


async def make_trouble(pid: int) -> None:
    """Kill or stop one of the CLI's processes now and then."""
    while True:
        await asyncio.sleep(random.uniform(0.3, 1.2))
        victims = [child for child in children(pid) if _is_cli(child)]
        if victims:
            number = random.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP])
            try:
                os.kill(random.choice(victims), number)
            except ProcessLookupError:
                continue


def _is_cli(pid: int) -> bool:
    try:
        return b"stream-json" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


if __name__ == "__main__":
    main()
