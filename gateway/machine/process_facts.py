"""Facts about the processes of this machine, in the same way on Linux and macOS.

psutil reads them: from /proc on Linux, by sysctl and libproc on macOS. A fact is None, or left out,
where the process is gone or belongs to another user, or where the system shows no processes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psutil

UNREADABLE = (psutil.Error, OSError)
"""A process that is gone or another user's; and no /proc at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A process that listens on a port: its name, and the first words of its command."""

    pid: int
    name: str
    command: tuple[str, ...] = ()


def start_of(pid: int) -> float | None:
    """When a process was started, in seconds of Unix time; ids are given out again.

    Linux counts from the boot, whose time moves with a clock that is set: compare with a tolerance.
    """
    try:
        return psutil.Process(pid).create_time()
    except UNREADABLE:
        return None


def resident_bytes(pid: int) -> int | None:
    """How much memory a process has in RAM."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except UNREADABLE:
        return None


def memory_bytes() -> int:
    """The RAM of this machine; 0 where the system does not say."""
    try:
        return int(psutil.virtual_memory().total)
    except UNREADABLE:
        return 0


def listener_on(port: int) -> Listener | None:
    """The process that listens on a TCP port, if it is the user's own.

    Each process is asked by itself: macOS gives the list of all sockets to root alone.
    """
    for process in _processes():
        try:
            connections = process.net_connections(kind="tcp")
            if any(
                connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
                for connection in connections
            ):
                command = tuple(process.cmdline())
                return Listener(pid=process.pid, name=process.name(), command=command)
        except UNREADABLE:
            continue
    return None


def visible_texts() -> Iterator[str]:
    """The command lines and environments that a user of this machine can read."""
    for process in _processes():
        try:
            yield " ".join(process.cmdline())
            yield "\n".join(f"{name}={value}" for name, value in process.environ().items())
        except UNREADABLE:
            continue


def _processes() -> Iterator[psutil.Process]:
    try:
        yield from psutil.process_iter()
    except UNREADABLE:
        return
