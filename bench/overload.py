"""`python -m bench.overload`: more requests than the gateway can answer, on a schedule.

First the saturation is measured, with clients that wait for their answers. Then requests come at
multiples of it, whatever becomes of those before: once to the backend `echo`, where the gateway's
own work is the limit, and once to the CLI, where its processes are. Generator and gateway have a
core each. The goodput has to stay, the rest has to be refused quickly, and what is served must not
become slow without a bound.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import cases
from bench.echo import run
from bench.load import request_bytes
from bench.machine import environment, gateway
from bench.open_loop import Generator
from bench.overload_report import Level, Series, page, problems, svg
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.command import find_cli
from gateway_claude_code.upstream import Answer, MessagesRequest, running_upstream, text_answer

HERE: Final = Path(__file__).parent
DOCS: Final = HERE.parent / "docs"
FACTORS: Final = (0.5, 0.8, 1.0, 1.5, 2.0)
PROCESSES, QUEUE, QUEUE_SECONDS = 2, 8, 10
PATIENCE: Final = 30.0
"""Seconds that the generator waits for any answer."""
ECHO_BOUND: Final = 1.0
CLI_BOUND: Final = 2.0 * QUEUE_SECONDS
"""Seconds: the p99 of what is served. With the CLI it may wait in line, and then be answered."""


def main() -> None:
    arguments = _arguments()
    load = os.getloadavg()[0]
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("make overload needs two cores: one for the generator, one for the gateway.")
    with tempfile.TemporaryDirectory(prefix="dragoman-overload-") as name:
        found = [
            series
            for backend in arguments.backends
            for series in (_measured(Path(name), backend, arguments.seconds, cores),)
        ]
    head = f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores, of "
    head += f"which the gateway had one; load {load:.1f} before and {os.getloadavg()[0]:.1f} after."
    print(page(head, found))
    if len(found) == len(_BACKENDS):
        (arguments.into / "overload.svg").write_text(svg(found), encoding="utf-8")
        (HERE / "overload.md").write_text(page(head, found), encoding="utf-8")
    wrong = [problem for series in found for problem in problems(series)]
    for problem in wrong:
        print(f"PROBLEM: {problem}")
    print("1 failed, 0 passed" if wrong else "1 passed, 0 failed")
    sys.exit(bool(wrong))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make overload", description=__doc__)
    parser.add_argument("--seconds", type=float, help="for each rate; 5 for echo, 12 for the CLI")
    parser.add_argument("--backends", nargs="+", choices=_BACKENDS, default=list(_BACKENDS))
    parser.add_argument("--into", type=Path, default=DOCS, help="the folder for overload.svg")
    return parser.parse_args()


def _measured(folder: Path, backend: str, seconds: float | None, cores: list[int]) -> Series:
    name, serving, model, clients, usual, bound = _BACKENDS[backend]
    seconds = seconds or usual
    with serving(folder / backend, cores) as url:

        def request(number: int) -> bytes:
            said = [{"role": "user", "content": f"Hello! This is number {number}."}]
            return request_bytes(url, json.dumps({"model": model, "messages": said}).encode())

        return run(_levels(name, Generator(url, request, PATIENCE), clients, seconds, bound))


async def _levels(
    name: str, generator: Generator, clients: int, seconds: float, bound: float
) -> Series:
    await generator.closed_loop(clients, seconds / 4)  # everything imported, everything warm
    saturation = await generator.closed_loop(clients, seconds)
    print(f"{name}: {saturation:.1f} requests per second", flush=True)
    levels = []
    for factor in FACTORS:
        rate = factor * saturation
        began = time.perf_counter()
        outcomes = await generator.open_loop(rate, seconds)
        took = max(time.perf_counter() - began, seconds)
        levels.append(Level.of(factor, rate, took, outcomes))
        print(levels[-1], flush=True)
        await asyncio.sleep(0.5)
    generator.close()
    return Series(name, saturation, bound, tuple(levels))


@contextmanager
def _on_a_core(
    folder: Path, env: Mapping[str, str], config: Mapping[str, object], cores: list[int]
) -> Iterator[str]:
    """A gateway, with all that it starts, on the first core; this process goes to the second."""
    os.sched_setaffinity(0, cores[:1])
    try:
        with gateway(folder / "gateway", env, config) as (_, url):
            os.sched_setaffinity(0, cores[1:2])
            yield url
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def _echo(folder: Path, cores: list[int]) -> Iterator[str]:
    folder.mkdir()
    env = environment(folder, "http://127.0.0.1:9", Path("/nowhere"))
    config = {"models": {"echo": {"backend": "echo"}}, "plugins": {"claude_code": False}}
    with _on_a_core(folder, env, config, cores) as url:
        yield url


@contextmanager
def _cli(folder: Path, cores: list[int]) -> Iterator[str]:
    folder.mkdir()
    section = {
        "check_cli": False,
        "max_processes": PROCESSES,
        "max_queue": QUEUE,
        "queue_seconds": QUEUE_SECONDS,
    }
    models = {cases.MODEL: {"backend": "claude-code", "target": "sonnet"}}
    config = {"models": models, "plugins": {"claude_code": section}}
    with running_upstream(_answered, record=False) as upstream:
        env = environment(folder, upstream.url, find_cli(ClaudeCodeConfig(), os.environ))
        with _on_a_core(folder, env, config, cores) as url:
            yield url


def _answered(_: MessagesRequest) -> Answer:
    return text_answer("Hello.")


_Serving = Callable[[Path, list[int]], object]
_BACKENDS: Final = {
    "echo": ("The backend echo", _echo, "echo", 16, 5.0, ECHO_BOUND),
    "cli": (
        f"The CLI, {PROCESSES} processes, a queue of {QUEUE}",
        _cli, cases.MODEL, PROCESSES, 12.0, CLI_BOUND,
    ),
}  # fmt: skip
"""The name, how it is served, the model, clients at saturation, seconds a rate, bound of the p99."""


if __name__ == "__main__":
    main()
