"""`python -m bench.memory`: the memory of the CLI's processes over many short conversations.

First one-shots of a known set-up, then conversations of three turns that are rewound twice each:
the second question is edited, then the first. The memory (RSS) is taken after each slice. It may
grow at first, but not in the second half.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import cases
from bench.clients import at_once
from bench.contenders import ask_http
from bench.machine import (
    Served,
    add_reuse,
    children,
    cli_config,
    environment,
    gateway,
    machine,
    memory,
)
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.command import find_cli
from gateway_claude_code.upstream import running_upstream

HERE: Final = Path(__file__).parent
CLIENTS: Final = 4
MOST_GROWTH: Final = 1.05
"""The most that the last quarter may have, in the memory of the quarter before it."""


@dataclass(frozen=True, slots=True)
class Slice:
    """After so many conversations: the memory of the CLI's processes and of the gateway, in MB."""

    conversations: int
    processes: Sequence[float]
    gateway: float


def main() -> None:
    arguments = _arguments()
    cli = find_cli(ClaudeCodeConfig(), os.environ)
    with tempfile.TemporaryDirectory(prefix="dragoman-memory-") as name:
        found = dict(_measured(Path(name), cli, arguments))
    lines = ["# Memory", "", machine(cli) + "."]
    for title, slices in found.items():
        lines += ["", *table(title, slices)]
    text = "\n".join(lines) + "\n"
    print(text)
    (arguments.into / "memory.md").write_text(text, encoding="utf-8")
    grown = [title for title, slices in found.items() if growth(slices) > MOST_GROWTH]
    for title in grown:
        print(f"PROBLEM: {title}: grown in the second half")
    print(f"{len(grown)} failed, {len(found) - len(grown)} passed")
    sys.exit(bool(grown))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--one-shots", type=int, default=1000, help="1000 by default")
    parser.add_argument("--rewound", type=int, default=200, help="conversations; 200 by default")
    parser.add_argument("--slices", type=int, default=20, help="of each kind; 20 by default")
    parser.add_argument("--into", type=Path, default=HERE, help="the folder for memory.md")
    add_reuse(parser)
    return parser.parse_args()


def _measured(
    folder: Path, cli: Path, arguments: argparse.Namespace
) -> Iterator[tuple[str, list[Slice]]]:
    with running_upstream(cases.script, record=False) as upstream:
        env = environment(folder, upstream.url, cli)
        with gateway(folder / "gateway", env, cli_config(cases.MODEL, arguments.reuse)) as (
            pid,
            url,
        ):
            server = Served(pid, url)
            for title, converse, number in (
                (f"{arguments.one_shots} one-shots", _one_shot, arguments.one_shots),
                (f"{arguments.rewound} rewound conversations", _rewound, arguments.rewound),
            ):
                yield title, _in_slices(server, converse, number, arguments.slices)


def _in_slices(
    server: Served, converse: Callable[[str], None], number: int, slices: int
) -> list[Slice]:
    found = []
    for step in range(slices):
        first, end = number * step // slices, number * (step + 1) // slices
        at_once(lambda: converse(server.url), CLIENTS, end - first)
        used = list(_sizes(children(server.pid)))
        found.append(Slice(end, used, memory(server.pid)["rss"]))
        print(f"  {end}: {len(used)} processes, {sum(used):.0f} MB", flush=True)
    return found


def _sizes(pids: Sequence[int]) -> Iterator[float]:
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            yield memory(pid)["rss"]


def _one_shot(url: str) -> None:
    ask_http(url, cases.set_up(cases.mark()))


def _rewound(url: str) -> None:
    """Three turns, then the second question edited, then the first."""
    asked = [cases.set_up(cases.mark())]
    for _ in range(2):
        asked.append(cases.further(asked[-1], ask_http(url, asked[-1]).message, cases.mark()))
    ask_http(url, asked[-1])
    first, *_ = asked
    for body in (asked[1], first):
        *before, last = body["messages"]
        said = {**last, "content": last["content"].replace(" ", f" {cases.mark()} ", 1)}
        ask_http(url, {**body, "messages": [*before, said]})


def growth(slices: Sequence[Slice]) -> float:
    """The memory of all processes in the last quarter of the slices, in that of the third."""
    used = [sum(each.processes) for each in slices]
    quarter = max(len(used) // 4, 1)
    third, last = used[-2 * quarter : -quarter], used[-quarter:]
    return statistics.mean(last) / statistics.mean(third) if any(third) else 1.0


def table(title: str, slices: Sequence[Slice]) -> Iterator[str]:
    """A row for each slice."""
    grown = f"the last quarter has {growth(slices):.2f} times the memory of the third"
    yield f"{title}: {grown}. In MB."
    yield ""
    yield "| conversations | processes | all of them | the largest | the gateway |"
    yield "|---|---|---|---|---|"
    for each in slices:
        used = each.processes
        largest = max(used, default=0.0)
        cells = [len(used), f"{sum(used):.0f}", f"{largest:.0f}", f"{each.gateway:.0f}"]
        yield f"| {each.conversations} | " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
