"""What a gateway holds, seen from outside: processes, tasks, open files, memory, files on disk."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """A count of each. `files` are those in the temporary folder and those of dead processes."""

    processes: int
    tasks: int
    descriptors: int
    files: int
    memory: float


def holdings(url: str, pid: int, home: Path, temporary: Path) -> Holdings:
    """As they are now."""
    probe: dict[str, Any] = httpx.get(f"{url}/probe", timeout=30).json()
    processes = children(pid)
    return Holdings(
        processes=len(processes),
        tasks=int(probe["tasks"]),
        descriptors=int(probe["files"]),
        files=len(left_files(home, temporary)),
        memory=probe["memory"],
    )


def when_quiet(url: str, pid: int, home: Path, temporary: Path, seconds: float = 30) -> Holdings:
    """Once nothing changes any more: no process at work, and the same holdings twice."""
    end = time.monotonic() + seconds
    before = None
    while True:
        health = httpx.get(f"{url}/health", timeout=30).json()["claude_code"]
        counts = health.get("processes", {})
        now = holdings(url, pid, home, temporary)
        settled = not any(counts.get(state) for state in ("busy", "live", "waiting"))
        same = before is not None and (now.processes, now.tasks, now.descriptors) == (
            before.processes,
            before.tasks,
            before.descriptors,
        )
        if (settled and same) or time.monotonic() > end:
            return now
        before = now
        time.sleep(0.5)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run (Linux)."""
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def left_files(home: Path, temporary: Path) -> list[Path]:
    """Files that belong to a process that is gone: named after it, or in the temporary folder."""
    found = []
    for top in (home, temporary):
        for folder, _, names in os.walk(top):  # goes on where a folder vanishes meanwhile
            for name in names:
                owner = re.search(r"(?:^|\.)(\d{2,7})\.", name)
                if owner and not Path(f"/proc/{owner[1]}").exists():
                    found.append(Path(folder, name))
    return found
