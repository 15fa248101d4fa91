"""uvicorn, but that running answers may finish before it stops."""

import logging
import signal
import time
from types import FrameType

import uvicorn

from gateway.traffic import Traffic

log = logging.getLogger("gateway")

CLOSING_SECONDS = 3
"""For what is left once the time for draining is over: connections without a request, mostly."""


class Server(uvicorn.Server):
    """The first signal to stop begins to drain, the second one ends that at once.

    While it drains it goes on listening, so that `TrafficControl` can say 503 to who comes; it
    ends when no request is left, or after `drain_seconds`.
    """

    def __init__(self, config: uvicorn.Config, traffic: Traffic, drain_seconds: float) -> None:
        super().__init__(config)
        self._traffic = traffic
        self._drain_seconds = drain_seconds
        self._deadline: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by uvicorn for SIGINT and SIGTERM."""
        if self._traffic.draining or not self.started:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)
        self._traffic.draining = True
        self._deadline = time.monotonic() + self._drain_seconds
        if self._traffic.active:
            # at a signal's time the log may be in the middle of a line; uvicorn's own does the same
            log.info(
                "stopping: %s running, for up to %g s (%s again ends them)",
                self._traffic.active,
                self._drain_seconds,
                signal.Signals(sig).name,
            )

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        if await super().on_tick(counter):
            return True
        if self._deadline is None:
            return False
        return not self._traffic.active or time.monotonic() >= self._deadline
