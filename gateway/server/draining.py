"""uvicorn, but that running answers may finish before it stops."""

import gc
import logging
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvicorn

from gateway.load.traffic import Traffic

log = logging.getLogger("gateway")

_WITHOUT_MEANING: Final = (signal.SIGUSR1, signal.SIGUSR2)

CLOSING_SECONDS = 3
"""For what is left once the time for draining is over: connections without a request, mostly."""


class Server(uvicorn.Server):
    """The first signal to stop begins to leave, the second one ends that at once.

    It goes on serving for `leave_seconds`, in which balancers find out that it is not ready. Then
    it drains: it still listens, so that `TrafficControl` can answer 503, and ends when no request
    is left, or after `drain_seconds`.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        traffic: Traffic,
        drain_seconds: float,
        leave_seconds: float = 0,
    ) -> None:
        super().__init__(config)
        self._traffic = traffic
        self._drain_seconds = drain_seconds
        self._leave_seconds = leave_seconds
        self._leaves_at: float | None = None
        self._deadline: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn before it serves."""
        await super().startup(sockets)
        # what has been loaded stays; to go through it again and again took 35 µs of each request
        gc.collect()
        gc.freeze()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by uvicorn for SIGINT and SIGTERM."""
        if self._traffic.leaving or not self.started:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)
        self._traffic.leaving = True
        self._leaves_at = time.monotonic() + self._leave_seconds
        if not self._leave_seconds:
            self._drain()
        if self._traffic.active or self._leave_seconds:
            # at a signal's time the log may be in the middle of a line; uvicorn's own does the same
            log.info(
                "stopping: %s running, for up to %g s (%s again ends them)",
                self._traffic.active,
                self._leave_seconds + self._drain_seconds,
                signal.Signals(sig).name,
            )

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        if await super().on_tick(counter):
            return True
        if self._leaves_at is None:
            return False
        if self._deadline is None:
            if time.monotonic() >= self._leaves_at:
                self._drain()
            return False
        return not self._traffic.active or time.monotonic() >= self._deadline

    def _drain(self) -> None:
        self._traffic.draining = True
        self._deadline = time.monotonic() + self._drain_seconds


@contextmanager
def signals_of(server: Server) -> Iterator[None]:
    """The signals that uvicorn leaves alone: HUP stops as TERM does, USR1 and USR2 do nothing.

    They would end the process at once, and with it the answers on their way. A program that was
    started by `nohup` goes on ignoring HUP.
    """

    def stop(_: int, frame: FrameType | None) -> None:
        server.handle_exit(signal.SIGTERM, frame)

    before = {each: signal.getsignal(each) for each in (signal.SIGHUP, *_WITHOUT_MEANING)}
    if before[signal.SIGHUP] is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stop)
    for each in _WITHOUT_MEANING:
        signal.signal(each, signal.SIG_IGN)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
