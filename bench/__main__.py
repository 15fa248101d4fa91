"""`python -m bench`: measure everything, print the tables, and write `bench/results.*`."""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench import cases, echo, report
from bench.compare import Comparison, Samples
from bench.contenders import ask_http, launch_in
from bench.machine import children, environment, gateway, memory
from bench.picture import svg
from bench.proxy import running_proxy
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.command import find_cli
from gateway_claude_code.upstream import running_upstream

HERE = Path(__file__).parent
CLI_MODELS: Mapping[str, object] = {
    "models": {cases.MODEL: {"backend": "claude-code", "target": "sonnet"}},
    # its look at the CLI would be measured with the rest
    "plugins": {"claude_code": {"check_cli": False}},
}


def main() -> None:
    arguments = _arguments()
    load_before = os.getloadavg()[0]
    tries = arguments.tries or (2 if arguments.quick else 15)
    with tempfile.TemporaryDirectory(prefix="dragoman-bench-") as name:
        folder = Path(name)
        cli = find_cli(ClaudeCodeConfig(), os.environ)
        cost = _echo(folder, cli, quick=arguments.quick)
        samples, processes, failures = _compare(folder, cli, tries, quick=arguments.quick)
    found = report.targets(samples, cost)
    cores = os.cpu_count()
    head = f"{platform.system()}, Python {platform.python_version()}, {cores} cores; load "
    head += f"{load_before:.1f} before and {os.getloadavg()[0]:.1f} after; {tries} tries."
    lines = ["# Measured", "", head, *report.target_table(found), *report.compared(samples)]
    lines += report.cost_table(cost, processes)
    lines += ["", *(f"Lost try: {failure}" for failure in failures)]
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    numbers = {"machine": head, **report.as_json(samples, cost, processes, found)}
    into = arguments.into
    into.mkdir(parents=True, exist_ok=True)
    (into / "results.md").write_text(text, encoding="utf-8")
    (into / "results.json").write_text(json.dumps(numbers) + "\n", encoding="utf-8")
    (into / "results.svg").write_text(svg(samples), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two tries of each: does it work?")
    parser.add_argument("--tries", type=int, help="how many of each; 15 by default")
    parser.add_argument("--into", type=Path, default=HERE, help="the folder for results.*")
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
    folder: Path, cli: Path, tries: int, *, quick: bool
) -> tuple[Samples, dict[str, dict[str, float]], list[str]]:
    home = folder / "home"
    home.mkdir()
    with running_upstream(cases.script) as upstream:
        env = environment(home, upstream.url, cli)
        with (
            running_proxy(folder / "proxy", env, cli) as proxy,
            gateway(folder / "gateway", env, CLI_MODELS) as (pid, url),
        ):
            comparison = Comparison(upstream, launch_in(env), url, proxy)
            comparison.until_quiet()
            processes = _processes(pid, url)
            print("New and continued conversations …", flush=True)
            comparison.run(tries)
            for clients in (4, 16):
                comparison.many(clients, 1 if quick else max(tries * 8 // (clients * 4), 1))
            processes["the gateway, after all of this"] = memory(pid)
    return comparison.samples, processes, comparison.failures


def _processes(pid: int, url: str) -> dict[str, dict[str, float]]:
    spare = children(pid)[0]
    used = {"a spare": memory(spare)}
    ask_http(url, cases.new(cases.mark()))
    time.sleep(1)
    used["a conversation that waits"] = memory(spare)
    return used


if __name__ == "__main__":
    main()
