"""The list of CLI processes on disk: for the next gateway, should this one and its guardian die.

Each gateway has a file that it holds locked as long as it lives. A file that nobody holds is that of
a dead gateway; what it lists and still runs is an orphan. A process is known by its id together with
the time of its start, never by its name: ids are given out again.

A file that can't be written, as on a full disk, is written anew as a whole when it can be.
"""

import contextlib
import errno
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from gateway.machine.process_facts import start_of

CLOCK_SECONDS: Final = 1.0
"""How much the time of a start may seem to move when the clock is corrected."""
_LONGEST: Final = 64 * 1024
"""Bytes; then the file is written anew with what still runs."""


class Ledger:
    """The list of one gateway's processes, in a folder that all gateways of this user share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._incomplete = False
        self._started: dict[int, float] = {}

    def open(self) -> None:
        """Begin an own list. Raises `OSError`."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # two containers can share the folder, and each can have this process id
        path = self._folder / f"{os.getpid()}-{secrets.token_hex(4)}.processes"
        file = path.open("xb", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            file.close()
            path.unlink(missing_ok=True)
            raise
        self._file = file

    def add(self, pid: int) -> None:
        """A process was started. Raises `OSError`."""
        started = start_of(pid)
        if started is not None:
            self._started[pid] = started
            self._write({"+": pid, "started": started})

    def remove(self, pid: int) -> None:
        """A process has ended. Raises `OSError`."""
        if self._started.pop(pid, None) is not None:
            self._write({"-": pid})

    def close(self) -> None:
        """All have ended: the list goes. Raises `OSError`."""
        file, self._file = self._file, None
        if file is not None:
            with file:
                Path(file.name).unlink(missing_ok=True)

    def left_behind(self) -> tuple[list[int], list[int]]:
        """Processes of gateways that are gone: those that still run, and those that don't.

        The lists go; one that can't be read stays, and is left out. Raises `OSError`.
        """
        running: list[int] = []
        dead: list[int] = []
        for path in sorted(self._folder.glob("*.processes")):
            with contextlib.suppress(PermissionError, FileNotFoundError), path.open("r+b") as file:
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
        entries = [entry]
        if self._incomplete or self._file.tell() > _LONGEST:
            self._file.seek(0)
            self._file.truncate()
            entries = [{"+": pid, "started": started} for pid, started in self._started.items()]
        self._incomplete = True
        text = b"".join(json.dumps(each).encode("ascii") + b"\n" for each in entries)
        if self._file.write(text) != len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._incomplete = False


def _still_runs(pid: int, started: float) -> bool:
    now = start_of(pid)
    return now is not None and abs(now - started) < CLOCK_SECONDS


def _listed(file: Iterator[bytes]) -> dict[int, float]:
    """The processes of a list, as far as it can be read: its last line may be cut."""
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
