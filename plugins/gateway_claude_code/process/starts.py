"""Starting processes: the limit on simultaneous starts, and the record of their results.

A start keeps a core busy until the CLI answers (0.4 s on an idle machine, seen with 2.1.330), and
simultaneous starts only delay each other. So they take turns; waiting for a turn does not count
against `start_seconds`, which begins with the process.
"""

import os
import time
from collections.abc import Callable
from typing import Final, Literal

import anyio

from gateway.errors import GatewayBusy, GatewayError
from gateway_claude_code.process.start_breaker import StartBreaker

IDLE_SECONDS: Final = 0.5
"""What a start takes on an idle machine, the first turn included (seen with 2.1.330)."""
_FEWEST: Final = 2

Fate = Literal["starting", "ready", "failed", "given up"]


def starts_at_a_time() -> int:
    """One for each core, and at least two, so that a slow start does not block all others."""
    return max(_FEWEST, os.cpu_count() or 1)


class Start:
    """One start, from its turn to the first of `ready`, `failed` and `give_up`; later calls do nothing."""

    def __init__(self, starts: "Starts") -> None:
        self._starts = starts
        self._began = time.monotonic()
        self.fate: Fate = "starting"
        self.tries = False  # whether it tests if the CLI starts again

    def ready(self) -> None:
        """The CLI has answered."""
        if self._end("ready"):
            self._starts.seconds = time.monotonic() - self._began
            self._starts.breaker.succeeded()

    def failed(self, error: GatewayError) -> None:
        """The CLI could not be run, ended, or did not answer in time."""
        if self._end("failed"):
            self._starts.breaker.failed(error)

    def give_up(self) -> None:
        """Give up a start that has become unnecessary; this says nothing about the CLI."""
        if self._end("given up") and self.tries:
            self._starts.breaker.undecided()

    def _end(self, fate: Fate) -> bool:
        if self.fate != "starting":
            return False
        self.fate = fate
        self._starts.end(self)
        return True


class Starts:
    """Turns to start a process, `most` at a time; a caller waits up to `wait_seconds` for one.

    `on_end` is called when a turn is over. `seconds` is how long the last start took until the CLI
    answered, the wait for its turn included; before the first, what an idle machine takes.
    """

    def __init__(self, most: int, wait_seconds: float, on_end: Callable[[], None]) -> None:
        self.breaker = StartBreaker()
        self.seconds = IDLE_SECONDS
        self._on_end = on_end
        self._most = most
        self._wait_seconds = wait_seconds
        self._limiter = anyio.CapacityLimiter(most)

    async def turn(self, *, tries: bool = True) -> Start:
        """Wait for a turn. Raises `BackendUnavailable` while the breaker is open, and `GatewayBusy`.

        Without `tries` the start is not the one that tests if the CLI starts again.
        """
        self.breaker.look(tries=tries)  # before waiting, so that nobody waits for a refusal
        start = Start(self)
        try:
            with anyio.fail_after(self._wait_seconds):
                await self._limiter.acquire_on_behalf_of(start)
        except TimeoutError:
            raise GatewayBusy(
                "Too many processes of the Claude Code CLI are starting, and none became ready "
                f"within {self._wait_seconds:g} s (plugins.claude_code.queue_seconds).",
                retry_after=max(1.0, self._wait_seconds / 10),
            ) from None
        try:
            self.breaker.look(tries=tries)  # earlier starts may have opened it
            tries = self.breaker.open
            self.breaker.check()
            start.tries = tries
        except BaseException:
            start.give_up()
            raise
        return start

    def spare_turn(self) -> Start | None:
        """A turn that no request waits for, or None; the last free one is left to requests."""
        statistics = self._limiter.statistics()
        left = self._most - int(statistics.borrowed_tokens)
        if statistics.tasks_waiting or left < min(2, self._most) or not self.breaker.may_try:
            return None
        start = Start(self)
        self._limiter.acquire_on_behalf_of_nowait(start)
        start.tries = self.breaker.open
        self.breaker.check()
        return start

    def end(self, start: Start) -> None:
        """End a turn: the next one begins."""
        self._limiter.release_on_behalf_of(start)
        self._on_end()
