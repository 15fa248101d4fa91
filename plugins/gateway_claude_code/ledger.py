"""Which CLI processes there are, on disk: for the next gateway, should this one and its guardian die.

Each gateway has a file that it holds locked as long as it lives. A file that nobody holds is that of
a dead gateway; what it lists and still runs is an orphan. A process is known by its id together with
the time of its start, never by its name: ids are given out again.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from gateway.process_facts import start_of

CLOCK_SECONDS: Final = 1.0
"""How much the time of a start may seem to move when the clock is corrected."""
_LONGEST: Final = 64 * 1024
"""Bytes; then the file is written anew with what still runs."""


class Ledger:
    """The list of one gateway's processes, in a folder that all gateways of this user share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None
        self._started: dict[int, float] = {}

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

    def left_behind(self) -> tuple[list[int], list[int]]:
        """Processes of gateways that are gone: those that still run, and those that don't.

        The lists go. Raises `OSError`.
        """
        running: list[int] = []
        dead: list[int] = []
        for path in sorted(self._folder.glob("*.processes")):
            with path.open("r+", encoding="ascii") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # its gateway lives
                for pid, started in _listed(file).items():
                    (running if _still_runs(pid, started) else dead).append(pid)
                path.unlink(missing_ok=True)
        return running, dead

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


def _still_runs(pid: int, started: float) -> bool:
    now = start_of(pid)
    return now is not None and abs(now - started) < CLOCK_SECONDS


def _listed(file: Iterator[str]) -> dict[int, float]:
    """What a list says, as far as it can be read: its last line may be cut."""
    started: dict[int, float] = {}
    for line in file:
        try:
            entry = json.loads(line)
            if "+" in entry:
                started[int(entry["+"])] = float(entry["started"])
            else:
                started.pop(int(entry["-"]), None)
        except (ValueError, KeyError, TypeError):
            continue
    return started
