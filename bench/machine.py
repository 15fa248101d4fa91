"""What a measurement runs in: an empty home, a made-up key, loopback, and nothing left running."""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PATIENCE: Final = 30
"""Seconds that anything may take to start, and to end."""


def environment(home: Path, upstream: str, cli: Path) -> dict[str, str]:
    """All of a program's environment, made from nothing."""
    return {
        "HOME": str(home),
        "PATH": os.defpath,
        "ANTHROPIC_API_KEY": "made-up",
        "ANTHROPIC_BASE_URL": upstream,
        "DRAGOMAN_CLAUDE_COMMAND": str(cli),
    }


def machine(cli: Path) -> str:
    """The date, and what the numbers depend on."""
    said = subprocess.run([str(cli), "--version"], check=True, capture_output=True, text=True)
    version = said.stdout.split()[0]
    system = f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    return f"{time.strftime('%Y-%m-%d')}: {system}, Claude Code {version}"


@dataclass(frozen=True, slots=True)
class Served:
    """A server: its process id and its URL."""

    pid: int
    url: str


@contextmanager
def program(
    command: list[str],
    env: Mapping[str, str],
    folder: Path,
    ready: str,
    patience: float = PATIENCE,
) -> Iterator[tuple[int, re.Match[str]]]:
    """Run a program until the end of the context; gives its id and what it said when ready."""
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(env), cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
            stderr=output,
        )  # fmt: skip
    try:
        end = time.monotonic() + patience
        while (found := re.search(ready, log.read_text(encoding="utf-8"))) is None:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text('utf-8')[-800:]}")
            time.sleep(0.02)
        yield process.pid, found
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cli_config(model: str, reuse: str | None = None) -> dict[str, object]:
    """A configuration with a model of the CLI; `reuse` is that of `plugins.claude_code`."""
    # its look at the CLI would be measured with the rest
    section: dict[str, object] = {"check_cli": False}
    if reuse is not None:
        section["reuse"] = reuse
    models = {model: {"backend": "claude-code", "target": "sonnet"}}
    return {"models": models, "plugins": {"claude_code": section}}


def add_reuse(parser: argparse.ArgumentParser) -> None:
    """Add `--reuse`."""
    said = "plugins.claude_code.reuse: caller, conversation or off; without it, the default"
    parser.add_argument("--reuse", help=said)


@contextmanager
def gateway(
    folder: Path,
    env: Mapping[str, str],
    config: Mapping[str, object],
    code: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, str]]:
    """A `dragoman serve`; gives its process id and its URL. `code` goes to files beside the YAML."""
    folder.mkdir()
    for name, text in (code or {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    path = folder / "models.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    command = [str(Path(sys.executable).parent / "dragoman"), "serve"]
    command += ["--config", str(path), "--port", "0"]
    with program(command, env, folder, r"serving at (http://\S+)") as (pid, found):
        get(f"{found[1]}/healthz")
        yield pid, found[1]


def get(url: str) -> Any:
    """The JSON that is there."""
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return json.load(answer)


def children(pid: int) -> list[int]:
    """The CLI's processes that a gateway has started and that still run (Linux)."""
    found = []
    for child in _children(pid):
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        if command and b"guardian.py" not in command:
            found.append(child)
    return found


def _children(pid: int) -> list[int]:
    """Those that any thread has started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, task.read_text().split())
    return found


def memory(pid: int) -> dict[str, float]:
    """RSS and PSS in MB (Linux)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = dict(re.findall(r"^(Rss|Pss):\s+(\d+) kB", rollup, re.MULTILINE))
    return {name.lower(): int(kilobytes) / 1024 for name, kilobytes in found.items()}


def cpu_seconds_exactly(pid: int) -> float:
    """The same to the nanosecond, for the threads that still run (Linux)."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tree_cpu_seconds(pid: int) -> float:
    """What a process and all that it started have used, those that have ended included (Linux).

    One that has ended counts once its parent has waited for it.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(tree_cpu_seconds, _children(pid)))
