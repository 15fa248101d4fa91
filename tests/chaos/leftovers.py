"""What a gateway holds, seen from outside: processes, tasks, open files, memory, files on disk."""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

TASKS_A_SPARE: Final = 3
DESCRIPTORS_A_SPARE: Final = 4
"""What a process that waits for its request has: it is watched and read from; three pipes, and one
for knowing of its end."""
DESCRIPTORS_A_CHECKER: Final = 3
"""What a process that checks answers against large schemas has: it is kept for the next of them, one a
core at most (anyio's worker processes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """A count of each. `files` are those in the temporary folder and those of dead processes.

    `spares` are the processes that wait for a request, `checkers` those for large schemas, and `owed` all that a request still holds: its
    process, or a place in line. `kinds` are the tasks by what they run, and the descriptors by what they
    are of.
    """

    processes: int
    spares: int
    checkers: int
    owed: int
    tasks: int
    descriptors: int
    kinds: Mapping[str, Counter[str]] = field(repr=False)
    files: tuple[str, ...]
    memory: float
    ready: bool

    def more_than(self, before: "Holdings") -> Iterator[str]:
        """What is left of what came after `before`, when all of it should have gone."""
        if not self.ready:
            yield "the gateway is not ready"
        if self.owed:
            yield f"{self.owed} processes or places in line are held"
        if self.processes > self.spares:
            yield f"{self.processes} processes of the CLI, {self.spares} of them spares"
        if self.checkers > (os.cpu_count() or 1):
            yield f"{self.checkers} processes that check answers"
        more = max(0, self.spares - before.spares)
        checkers = max(0, self.checkers - before.checkers)
        allowed = {
            "tasks": more * TASKS_A_SPARE,
            "descriptors": more * DESCRIPTORS_A_SPARE + checkers * DESCRIPTORS_A_CHECKER,
        }
        for name, most in allowed.items():
            now, then = getattr(self, name), getattr(before, name)
            if now > then + most:
                yield f"{now} {name}, {then} before: {self.kinds[name] - before.kinds[name]}"
        if self.files:
            yield f"files: {', '.join(self.files)}"


def holdings(url: str, pid: int, home: Path, temporary: Path) -> Holdings:
    """As they are now."""
    probe: dict[str, Any] = httpx.get(f"{url}/probe", timeout=30).json()
    # the request log's database is opened when there is room for it
    opened = {what: n for what, n in probe["open"].items() if "/requests.db" not in what}
    counts = counted(url)
    return Holdings(
        processes=len(clis(pid)),
        spares=counts.get("spare", 0),
        checkers=len(_children(pid, b"anyio.to_process")),
        owed=sum(counts.values()) - counts.get("spare", 0),
        tasks=sum(probe["tasks"].values()),
        kinds={"tasks": Counter(probe["tasks"]), "descriptors": Counter(opened)},
        descriptors=sum(opened.values()),
        files=tuple(map(str, left_files(home, temporary))),
        memory=probe["memory"],
        ready=httpx.get(f"{url}/readyz", timeout=30).is_success,
    )


def counted(url: str) -> dict[str, int]:
    """The gateway's own count of its processes, by state."""
    health: dict[str, Any] = httpx.get(f"{url}/health", timeout=30).json()["claude_code"]
    counts: dict[str, int] = health.get("processes", {})
    return counts


def when_quiet(
    url: str,
    pid: int,
    home: Path,
    temporary: Path,
    start: Holdings | None = None,
    seconds: float = 90,
) -> Holdings:
    """Once nothing changes any more: the same holdings twice, and nothing more than at the `start`.

    A CLI that failed to start many times in a row is tried again in a minute at the latest.
    """
    end = time.monotonic() + seconds
    before = None
    while True:
        now = holdings(url, pid, home, temporary)
        same = before is not None and (now.processes, now.tasks, now.descriptors) == (
            before.processes,
            before.tasks,
            before.descriptors,
        )
        if (same and not list(now.more_than(start or now))) or time.monotonic() > end:
            return now
        before = now
        time.sleep(0.3)


def clis(pid: int) -> list[int]:
    """The processes of the CLI that a gateway has started and that still run (Linux)."""
    return _children(pid, b"stream-json")


def _children(pid: int, word: bytes) -> list[int]:
    """Those with this word on their command line."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children if _has(int(child), word)]


def _has(pid: int, word: bytes) -> bool:
    try:
        return word in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def left_files(home: Path, temporary: Path) -> list[Path]:
    """Files that belong to a process that is gone: named after it, or the log of its tools."""
    found = list((home / ".cache" / "claude-cli-nodejs").glob("**/*.jsonl"))
    for top in (home, temporary):
        for folder, _, names in os.walk(top):  # goes on where a folder vanishes meanwhile
            for name in names:
                owner = re.search(r"(?:^|\.)(\d{2,7})\.", name)
                if owner and not Path(f"/proc/{owner[1]}").exists():
                    found.append(Path(folder, name))
    return found


def left_of(folder: Path, seconds: float = 10) -> dict[int, str]:
    """The processes that still run some seconds after the gateway's end, by what they run."""
    end = time.monotonic() + seconds
    while (found := dict(_of_folder(folder))) and time.monotonic() < end:
        time.sleep(0.2)
    return found


def _of_folder(folder: Path) -> Iterator[tuple[int, str]]:
    """Those that were started with this folder in their environment."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            environment = (place / "environ").read_bytes()
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if os.fsencode(f"{folder}/") in environment:
            yield int(place.name), command[:200]
