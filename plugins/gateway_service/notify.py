"""Telling systemd how the gateway is: ready, alive, stopping. The protocol is that of sd_notify(3).

Nothing of it happens unless systemd asks, by `NOTIFY_SOCKET`.
"""

import logging
import os
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import anyio

log = logging.getLogger("gateway_service")

LOOK_SECONDS: Final = 1.0
"""How often it is seen whether the gateway is about to end."""

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"


class Notifier:
    """Sends datagrams to a socket of systemd's; one that can't be sent is a line in the log."""

    def __init__(self, address: str) -> None:
        # with @ it is in the kernel's abstract name space, which begins with a zero byte
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0)
        self._failed = False

    def send(self, state: str) -> None:
        """Send one assignment, such as `READY=1`. Never waits."""
        try:
            self._socket.sendto(state.encode("ascii"), self._address)
        except OSError as error:
            if not self._failed:
                log.warning("systemd can't be notified (%s): %s", state, error)
            self._failed = True

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


def address_of(environ: Mapping[str, str]) -> str | None:
    """Where systemd listens: a path, or `@name`. None if it did not ask, or listens elsewhere."""
    address = environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"}:
        return None
    return address


def ping_seconds(environ: Mapping[str, str], pid: int | None = None) -> float | None:
    """How often to say that all is well: twice as often as is asked for. None if it is not."""
    if environ.get("WATCHDOG_PID", "") not in {"", str(pid or os.getpid())}:
        return None
    try:
        return int(environ.get("WATCHDOG_USEC", "")) / 2_000_000 or None
    except ValueError:
        return None


@asynccontextmanager
async def notifying(
    address: str, every: float | None, stopping: Callable[[], bool]
) -> AsyncGenerator[None]:
    """Say READY now, that all is well `every` so many seconds, and STOPPING as soon as it is.

    The pings come from the event loop that serves: when that hangs, they stay away.
    """
    notifier = Notifier(address)
    try:
        notifier.send(READY)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_keep_telling, notifier, every, stopping)
            yield
            tasks.cancel_scope.cancel()
    finally:
        notifier.send(STOPPING)
        notifier.close()


async def _keep_telling(
    notifier: Notifier, every: float | None, stopping: Callable[[], bool]
) -> None:
    pause = min(LOOK_SECONDS, every or LOOK_SECONDS)
    told = anyio.current_time()
    said_stopping = False
    while True:
        now = anyio.current_time()
        if every is not None and now - told + pause / 2 >= every:
            notifier.send(ALIVE)
            told = now
        if stopping() and not said_stopping:
            said_stopping = True
            notifier.send(STOPPING)
        await anyio.sleep(pause)
