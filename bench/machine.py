"""What a measurement runs in: an empty home, a made-up key, loopback, and nothing left running."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid for pid in found if b"guardian.py" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


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
