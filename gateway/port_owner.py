"""Which program listens on a port, for the message of one that wanted it too."""

import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.addresses import reached_at

LISTENING: Final = "0A"
"""The state of a socket that listens, in /proc/net/tcp."""
ASK_SECONDS: Final = 0.5
_MAIN_MODULE: Final = re.compile(r"(^|[/\\])dragoman(\.exe)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that listens: its name, and whether it was started as `dragoman`."""

    pid: int
    name: str
    is_dragoman: bool = False


def taken_by(host: str, port: int) -> str:
    """Who has the port, for the middle of a sentence; "another program" where nobody says."""
    owner = owner_of(port)
    process = "" if owner is None else f" (process {owner.pid})"
    if (version := dragoman_at(host, port)) is not None:
        return f"dragoman {version}{process} is running there already"
    if owner is None:
        return "another program has it"
    if owner.is_dragoman:
        return f"a dragoman{process} is running there already"
    return f"{owner.name}{process} has it"


def owner_of(port: int) -> Owner | None:
    """The process that listens on a TCP port of this machine, if one may see it."""
    if Path("/proc/net/tcp").exists():
        return _by_proc(port, Path("/proc"))
    return _by_lsof(port)


def dragoman_at(host: str, port: int) -> str | None:
    """The version that a gateway there tells of itself; with keys it tells nobody."""
    connection = http.client.HTTPConnection(reached_at(host), port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/health")
        health = json.loads(connection.getresponse().read(1_000_000))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if not isinstance(health, dict) or not {"version", "offline"} <= health.keys():
        return None
    return str(health["version"])[:40]


def _by_proc(port: int, proc: Path) -> Owner | None:
    wanted = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    if not wanted:
        return None
    for folder in proc.iterdir():
        if folder.name.isdigit() and wanted & set(_sockets(folder)):
            return _process(folder)
    return None


def _inodes(port: int, proc: Path) -> Iterator[str]:
    """Of the sockets that listen there. The columns are those of proc(5)."""
    for table in (proc / "net/tcp", proc / "net/tcp6"):
        try:
            rows = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                yield columns[9]


def _sockets(folder: Path) -> Iterator[str]:
    try:
        for entry in (folder / "fd").iterdir():
            yield str(entry.readlink())
    except OSError:  # another user's, or gone meanwhile
        return


def _process(folder: Path) -> Owner | None:
    try:
        arguments = (folder / "cmdline").read_bytes().split(b"\0")
        name = (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
    return _owner(int(folder.name), name, [os.fsdecode(each) for each in arguments[:2]])


def _by_lsof(port: int) -> Owner | None:
    """On macOS. `-F pc` prints a line `pPID` and a line `cNAME` for each process."""
    if (lsof := shutil.which("lsof")) is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - a number is all that varies
            [lsof, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-F", "pc"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=2,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"^p(\d+)\nc(.+)$", said, re.MULTILINE)
    return None if found is None else _owner(int(found[1]), found[2], [])


def _owner(pid: int, name: str, command: list[str]) -> Owner:
    is_dragoman = any(_MAIN_MODULE.search(word) for word in (name, *command))
    return Owner(pid=pid, name=name, is_dragoman=is_dragoman)
