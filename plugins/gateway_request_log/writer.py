"""Rows are written by a thread, in batches, and no answer ever waits for that.

Rows that can't be written now (the disk is full, the database is locked) is tried again and again,
while the queue fills. Rows that do not fit into it any more are lost, counted, and the log says so.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

from gateway_request_log.row import Answered, Row

log = logging.getLogger("gateway_request_log")

BATCH_SECONDS: Final = 0.25
"""How long rows are gathered."""
COST_SECONDS: Final = 0.5
"""How long a row waits for its cost at least: the Claude Code CLI says it some 20 to 80 ms after the
answer's end. When the gateway is killed, what is lost is no older than both of these together."""
BATCH_ROWS: Final = 500
RETRY_SECONDS: Final = 1.0
SAY_SECONDS: Final = 60.0
QUEUE_CHARACTERS: Final = 64_000_000
"""How much of bodies may wait."""


class Sink(Protocol):
    """Where rows go. All of it is called in one thread."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write all of them or none. An `OSError` or `OperationalError` is for trying again."""

    def close(self) -> None:
        """Free its resources."""


_Entry: TypeAlias = tuple[Answered, int, float]
"""The row's material, the characters of its bodies, and when it may be written (monotonic)."""


class Writer:
    """Takes rows from one thread (`put`) and writes them in its own."""

    def __init__(self, name: str, sink: Sink, queue_rows: int) -> None:
        self.name = name
        self.written = 0
        self._sink = sink
        self._queue_rows = queue_rows
        self._queue: deque[_Entry] = deque()
        # each of these is changed by one thread only
        self._came = self._went = 0  # characters
        self._refused = self._broken = 0  # rows
        self._said = (0, float("-inf"))
        self._failure: Exception | None = None
        self._news, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"request-log-{name}", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many rows wait to be written."""
        return len(self._queue)

    @property
    def lost(self) -> int:
        """How many rows were not written, and won't be."""
        return self._refused + self._broken

    def put(self, answered: Answered) -> None:
        """Take the material of a row, or lose it if too many wait. Neither blocks nor raises."""
        bodies = answered.bodies
        characters = bodies.characters if bodies is not None else 0
        room = QUEUE_CHARACTERS - (self._came - self._went)
        if len(self._queue) >= self._queue_rows or characters > room:
            self._refused += 1
        else:
            self._came += characters
            self._queue.append((answered, characters, time.monotonic() + COST_SECONDS))
        if not self._news.is_set():
            self._news.set()

    def close(self, seconds: float = 5) -> None:
        """Write the rest, once; for so long at most."""
        self._closing.set()
        self._news.set()
        self._thread.join(seconds)
        self._refused += len(self._queue)
        self._say_lost(last=True)

    # -- in the thread ----------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            self._news.wait(SAY_SECONDS)
            self._closing.wait(BATCH_SECONDS)
            self._news.clear()
            while self._write_batch(time.monotonic()):
                pass
            self._say_lost()
            if self._failure is not None:
                self._closing.wait(RETRY_SECONDS)
            if self._queue:
                self._news.set()
        while self._write_batch(float("inf")):
            pass
        try:
            self._sink.close()
        except Exception:
            log.exception("closing the request log (%s) failed", self.name)

    def _write_batch(self, now: float) -> bool:
        """Write the first rows of the queue; False if none may be written, or they have to wait."""
        some = [self._queue[index] for index in range(min(len(self._queue), BATCH_ROWS))]
        if not (entries := [entry for entry in some if entry[2] <= now]):
            return False
        try:
            self._sink.write([answered.row() for answered, _, _ in entries])
            self.written += len(entries)
            self._failure = None
        except (OSError, sqlite3.OperationalError) as error:
            self._failure = error
            return False
        except Exception:
            self._broken += len(entries)
            log.exception("%d rows of the request log (%s) are lost", len(entries), self.name)
        for _, characters, _ in entries:
            self._queue.popleft()
            self._went += characters
        return True

    def _say_lost(self, *, last: bool = False) -> None:
        lost, when = self._said
        new, now = self.lost - lost, time.monotonic()
        if not (new or self._failure) or (now - when < SAY_SECONDS and not last):
            return
        self._said = (self.lost, now)
        log.warning(
            "the request log (%s): %d rows lost, %d waiting: %s",
            self.name,
            new,
            len(self._queue),
            self._failure or "they arrived faster than they could be written",
        )
