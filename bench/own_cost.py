"""`python -m bench.own_cost`: the processor time of a request, without any model behind it.

The gateway with its backend `echo` is measured beside a bare ASGI application and LiteLLM's proxy,
and beside another checkout of the gateway if one is given (`--before`). Each server has one core
and the clients have the other. The contenders take turns within each try.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.bare_app import PIECES
from bench.echo import run
from bench.litellm_proxy import PACKAGE, running_litellm
from bench.machine import cpu_seconds_exactly, environment, memory, program
from bench.own_cost_load import ask_again_and_again
from bench.own_cost_report import Kind, Measured, Row, held, page

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
TEXT: Final = "Hello! How are you? I am fine."
MODEL: Final = "echo"
CONFIG: Final = {
    "models": {MODEL: {"backend": "echo", "options": {"chunks": PIECES}}},
    "plugins": {"claude_code": False},
}
CLIENTS: Final = 8
"""At once, where requests per second and the processor are measured."""
LEAST: Final = 50
"""Answers for each number, however long they take."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that runs: its name in the table, its process and its URL."""

    name: str
    pid: int
    url: str


def main() -> None:
    arguments = _arguments()
    load = os.getloadavg()[0]
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("make own-cost needs two cores: one for the clients, one for the servers.")
    with tempfile.TemporaryDirectory(prefix="dragoman-own-cost-") as name, ExitStack() as stack:
        os.sched_setaffinity(0, cores[:1])  # the servers inherit it
        contenders = list(_started(Path(name), arguments.before, stack))
        os.sched_setaffinity(0, cores[1:2])
        rows = _rows(contenders, arguments.tries, arguments.seconds)
    head = f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores, of "
    head += (
        f"which the servers had one; load {load:.1f} before and {os.getloadavg()[0]:.1f} after; "
    )
    head += f"{arguments.tries} tries."
    text = page(head, rows)
    print(text)
    arguments.into.write_text(text, encoding="utf-8")
    sys.exit(not held(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make own-cost", description=__doc__)
    parser.add_argument("--tries", type=int, default=15, help="how many of each; 15 by default")
    parser.add_argument("--seconds", type=float, default=1.0, help="of load, for each number")
    parser.add_argument("--before", type=Path, help="the root of another checkout to measure")
    parser.add_argument("--into", type=Path, default=HERE / "own_cost.md", help="the file to write")
    return parser.parse_args()


def _started(folder: Path, before: Path | None, stack: ExitStack) -> Iterator[Contender]:
    """Start all that can be had, until the stack is closed."""
    env = environment(folder, "http://127.0.0.1:9", Path("/nowhere"))
    starting: dict[str, AbstractContextManager[tuple[int, str] | None]] = {
        "the gateway": _gateway(folder / "gateway", env, ROOT),
        "a bare ASGI application": _bare(folder / "bare", env),
        f"LiteLLM's proxy {PACKAGE.partition('==')[2]}": running_litellm(
            folder / "litellm", env, MODEL, TEXT
        ),
    }
    if before is not None:
        starting["the gateway, before"] = _gateway(folder / "before", env, before.resolve())
    for name, server in starting.items():
        print(f"Starting {name} …", flush=True)
        if (running := stack.enter_context(server)) is not None:
            yield Contender(name, *running)


@contextmanager
def _gateway(folder: Path, env: Mapping[str, str], root: Path) -> Iterator[tuple[int, str]]:
    """The gateway of a checkout, in this environment: its packages are found before installed ones."""
    folder.mkdir()
    (folder / "models.yaml").write_text(json.dumps(CONFIG), encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "serve", "--config", "models.yaml", "--port", "0"]
    variables = {**env, "PYTHONPATH": f"{root}:{root / 'plugins'}"}
    with program(command, variables, folder, r"serving at (http://\S+)") as (pid, found):
        yield pid, found[1]


@contextmanager
def _bare(folder: Path, env: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    folder.mkdir()
    command = [sys.executable, str(HERE / "bare_app.py")]
    with program(command, env, folder, r"serving at (http://\S+)") as (pid, found):
        yield pid, found[1]


def _rows(contenders: list[Contender], tries: int, seconds: float) -> list[Row]:
    kinds: dict[Kind, bytes] = {"whole": _body(), "streamed": _body(stream=True)}
    found: dict[tuple[Kind, str], list[Measured]] = {}
    for body in kinds.values():  # everything imported, everything warm
        for contender in contenders:
            _ask(contender, body, CLIENTS, seconds / 2)
    for number in range(tries):
        for kind, body in kinds.items():
            for contender in contenders:
                measured = _measure(contender, body, seconds)
                found.setdefault((kind, contender.name), []).append(measured)
        print(f"  try {number + 1} of {tries}", flush=True)
    return [Row(name, kind, tuple(measured)) for (kind, name), measured in found.items()]


def _body(**fields: object) -> bytes:
    messages = [{"role": "user", "content": TEXT}]
    return json.dumps({"model": MODEL, "messages": messages, **fields}).encode()


def _measure(contender: Contender, body: bytes, seconds: float) -> Measured:
    alone = statistics.quantiles(_ask(contender, body, 1, seconds / 2), n=100)
    used, began = cpu_seconds_exactly(contender.pid), time.perf_counter()
    answers = len(_ask(contender, body, CLIENTS, seconds))
    used, took = cpu_seconds_exactly(contender.pid) - used, time.perf_counter() - began
    return Measured(
        cpu_ms=used * 1000 / answers,
        per_second=answers / took,
        p50_ms=alone[49] * 1000,
        p99_ms=alone[98] * 1000,
        rss_mb=memory(contender.pid)["rss"],
    )


def _ask(contender: Contender, body: bytes, clients: int, seconds: float) -> list[float]:
    return run(ask_again_and_again(contender.url, body, clients, seconds, LEAST))


if __name__ == "__main__":
    main()
