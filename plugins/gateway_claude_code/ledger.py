"""Which CLI processes there are, on disk: for the next gateway, should this one and its guardian die.

Each gateway has a file that it holds locked as long as it lives. A file that nobody holds is that of
a dead gateway; what it lists and still runs is an orphan. A process is known by its id together with
the time of its start, never by its name: ids are given out again.
"""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

_LONGEST: Final = 64 * 1024
"""Bytes; then the file is written anew with what still runs."""


class Ledger:
    """The list of one gateway's processes, in a folder that all gateways of this user share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None
        self._started: dict[int, str] = {}

    def open(self) -> None:
        """Begin an own list. Raises `OSError`."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{os.getpid()}.processes"
        self._file = path.open("w", encoding="ascii")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def add(self, pid: int) -> None:
        """A process was started."""
        started = start_of(pid)
        if started is not None:
            self._started[pid] = started
            self._write({"+": pid, "started": started})

    def remove(self, pid: int) -> None:
        """A process has ended."""
        if self._started.pop(pid, None) is not None:
            self._write({"-": pid})

    def close(self) -> None:
        """All have ended: the list goes."""
        if self._file is not None:
            Path(self._file.name).unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def orphans(self) -> list[int]:
        """Processes of gateways that are gone; their lists go. Raises `OSError`."""
        found: list[int] = []
        for path in sorted(self._folder.glob("*.processes")):
            with path.open("r+", encoding="ascii") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # its gateway lives
                listed = _listed(file)
                found += [pid for pid, started in listed.items() if start_of(pid) == started]
                path.unlink(missing_ok=True)
        return found

    def _write(self, entry: dict[str, object]) -> None:
        if self._file is None:
            return
        if self._file.tell() > _LONGEST:
            self._file.seek(0)
            self._file.truncate()
            for pid, started in self._started.items():
                self._file.write(json.dumps({"+": pid, "started": started}) + "\n")
        else:
            self._file.write(json.dumps(entry) + "\n")
        self._file.flush()


def _listed(file: Iterator[str]) -> dict[int, str]:
    """What a list says, as far as it can be read: its last line may be cut."""
    started: dict[int, str] = {}
    for line in file:
        try:
            entry = json.loads(line)
            if "+" in entry:
                started[int(entry["+"])] = str(entry["started"])
            else:
                started.pop(int(entry["-"]), None)
        except (ValueError, KeyError, TypeError):
            continue
    return started


def start_of(pid: int) -> str | None:
    """When a process was started, in words that no other process of this id has; None if it is gone.

    On Linux clock ticks since boot, with the id of the boot (proc(5): field 22 of `stat`);
    elsewhere what `ps` says.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            ticks = stat.read_text().rpartition(")")[2].split()[19]
            return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {ticks}"
        except (OSError, IndexError):
            return None
    done = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None
