"""`python -m bench`: measure everything, print the tables, and write `bench/results.*`."""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import cases, echo, going_back, one_shot_report, report
from bench.compare import Comparison, Samples
from bench.contenders import ask_http, launch_in
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
from bench.one_shots import OneShots
from bench.picture import svg
from bench.proxy import running_proxy
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.command import find_cli
from gateway_claude_code.upstream import running_upstream

HERE = Path(__file__).parent
PARTS: Final = ("gateway", "times", "going back", "clients", "one-shots")


@dataclass
class _Measured:
    """What there is of the parts that were asked for."""

    cost: echo.Cost | None = None
    samples: Samples = field(default_factory=dict)
    one_shots: Samples = field(default_factory=dict)
    processes: dict[str, dict[str, float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    interrupted: bool = False


@contextmanager
def _told(measured: _Measured) -> Iterator[None]:
    """What there is when somebody loses patience is printed, but not written."""
    try:
        yield
    except KeyboardInterrupt:
        measured.interrupted = True


def main() -> None:
    arguments = _arguments()
    load_before = os.getloadavg()[0]
    tries = arguments.tries or (2 if arguments.quick else 15)
    parts = arguments.only or PARTS
    measured = _Measured()
    with tempfile.TemporaryDirectory(prefix="dragoman-bench-") as name:
        folder = Path(name)
        cli = find_cli(ClaudeCodeConfig(), os.environ)
        if "gateway" in parts:
            measured.cost = _echo(folder, cli, quick=arguments.quick)
        if set(parts) - {"gateway"}:
            with _told(measured):
                config = cli_config(cases.MODEL, arguments.reuse)
                _compare(measured, folder, config, tries, parts)
        head = f"{machine(cli)}; load {load_before:.1f} before and {os.getloadavg()[0]:.1f} after; "
        head += f"{tries} tries."
    text, numbers = _results(measured, head)
    print(text)
    if measured.interrupted or (arguments.only and arguments.into is None):
        return
    into = arguments.into or HERE
    into.mkdir(parents=True, exist_ok=True)
    (into / "results.md").write_text(text, encoding="utf-8")
    (into / "results.json").write_text(json.dumps(numbers) + "\n", encoding="utf-8")
    (into / "results.svg").write_text(svg(measured.samples), encoding="utf-8")


def _results(measured: _Measured, head: str) -> tuple[str, dict[str, Any]]:
    """As Markdown and as JSON."""
    samples, cost = measured.samples, measured.cost
    found = [*report.targets(samples, cost), *one_shot_report.targets(measured.one_shots)]
    lines = ["# Measured", "", head, *report.target_table(found)]
    lines += one_shot_report.tables(measured.one_shots)
    lines += report.compared(samples)
    if cost is not None:
        lines += report.cost_table(cost, measured.processes)
    lines += ["", *(f"Lost try: {failure}" for failure in measured.failures)]
    numbers = report.as_json(samples, cost, measured.processes, found)
    numbers = {"machine": head, **numbers, "one_shots": report.nested(measured.one_shots)}
    return "\n".join(lines).rstrip() + "\n", numbers


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two tries of each: does it work?")
    parser.add_argument("--tries", type=int, help="how many of each; 15 by default")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, help="these parts; written only with --into"
    )
    parser.add_argument("--into", type=Path, help="the folder for results.*; bench/ by default")
    add_reuse(parser)
    return parser.parse_args()


def _echo(folder: Path, cli: Path, *, quick: bool) -> echo.Cost:
    print("The gateway itself …", flush=True)
    home = folder / "echo-home"
    home.mkdir()
    env = environment(home, "http://127.0.0.1:9", cli)
    config = {"models": echo.MODELS, "plugins": {"claude_code": False}}
    with gateway(folder / "echo", env, config) as (pid, url):
        return echo.measure(pid, url, quick=quick)


def _compare(
    measured: _Measured,
    folder: Path,
    config: Mapping[str, object],
    tries: int,
    parts: Collection[str],
) -> None:
    cli = find_cli(ClaudeCodeConfig(), os.environ)
    home = folder / "home"
    home.mkdir()
    with running_upstream(cases.script) as upstream:
        env = environment(home, upstream.url, cli)
        with (
            running_proxy(folder / "proxy", env, cli) as proxy,
            gateway(folder / "gateway", env, config) as (pid, url),
        ):
            comparison = Comparison(upstream, launch_in(env), Served(pid, url), proxy)
            measured.samples, measured.failures = comparison.samples, comparison.failures
            comparison.until_quiet()
            measured.processes = _processes(pid, url)
            _run(measured, comparison, tries, parts)
            measured.processes["the gateway, after all of this"] = memory(pid)


def _run(measured: _Measured, comparison: Comparison, tries: int, parts: Collection[str]) -> None:
    if "times" in parts:
        print("New and continued conversations …", flush=True)
        comparison.run(tries)
    if "going back" in parts:
        print("Regenerate, edit, fork …", flush=True)
        going_back.run(comparison, tries)
    if "clients" in parts:
        for clients in (4, 16):
            bursts = max(tries * 8 // (clients * 4), 1)
            comparison.many(f"{clients} clients", clients, bursts)
        comparison.many("16 set-ups", 16, tries, cases.own_set_up)
    if "one-shots" in parts:
        print("One-shots …", flush=True)
        shots = OneShots(comparison)
        measured.one_shots = shots.samples
        shots.run(tries)


def _processes(pid: int, url: str) -> dict[str, dict[str, float]]:
    spare = children(pid)[0]
    used = {"a spare": memory(spare)}
    ask_http(url, cases.new(cases.mark()))
    time.sleep(1)
    used["a conversation that waits"] = memory(spare)
    return used


if __name__ == "__main__":
    main()
