"""How many processes there may be, and who gets the next one.

Every process has a slot from its start to its end. Requests that find none wait in line: callers
take turns, so that one with many requests can't starve another.
"""

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import anyio

from gateway.errors import RateLimited
from gateway.process_facts import memory_bytes

Caller = str

PROCESS_BYTES: Final = 400 * 1024 * 1024
"""What a process is reckoned at: 160 MB when idle, more after long conversations."""
_PER_CORE: Final = 16
_FEWEST: Final = 4


def default_processes() -> int:
    """As many processes as this machine holds with room to spare."""
    cores = os.cpu_count() or 1
    return max(_FEWEST, min(memory_bytes() // PROCESS_BYTES, _PER_CORE * cores))


@dataclass(eq=False, slots=True)
class _Waiter:
    admitted: anyio.Event = field(default_factory=anyio.Event)


class Slots:
    """`most` slots. `make_room` is called when somebody has to wait.

    It says whether a slot will soon be given back for that; then even a full line is no obstacle.
    """

    def __init__(
        self,
        most: int,
        longest_queue: int,
        queue_seconds: float,
        make_room: Callable[[], bool],
    ) -> None:
        self.most = most
        self._longest_queue = longest_queue
        self._queue_seconds = queue_seconds
        self._make_room = make_room
        self._queues: dict[Caller, deque[_Waiter]] = {}
        self._turns: deque[Caller] = deque()
        self.used = 0

    @property
    def waiting(self) -> int:
        """How many requests stand in line."""
        return sum(len(queue) for queue in self._queues.values())

    def try_acquire(self) -> bool:
        """Take a slot if one is free and nobody is waiting for it."""
        if self.used >= self.most or self._queues:
            return False
        self.used += 1
        return True

    async def acquire(self, caller: Caller) -> None:
        """Wait for a slot. Raises `RateLimited` when the line is too long, or does not move."""
        if self.try_acquire():
            return
        if not self._make_room() and self.waiting >= self._longest_queue:
            raise self._full("too many requests are waiting already")
        waiter = _Waiter()
        self._enqueue(caller, waiter)
        try:
            with anyio.fail_after(self._queue_seconds):
                await waiter.admitted.wait()
        except TimeoutError:
            if not waiter.admitted.is_set():
                self._leave(caller, waiter)
                raise self._full(f"none became free within {self._queue_seconds:g} s") from None
        except BaseException:
            if waiter.admitted.is_set():
                self.release()
            else:
                self._leave(caller, waiter)
            raise

    def release(self) -> None:
        """Give a slot back: to the next in line, if there is one."""
        if not self._turns:
            self.used -= 1
            return
        caller = self._turns.popleft()
        queue = self._queues[caller]
        waiter = queue.popleft()
        if queue:
            self._turns.append(caller)
        else:
            del self._queues[caller]
        waiter.admitted.set()

    def _enqueue(self, caller: Caller, waiter: _Waiter) -> None:
        if caller not in self._queues:
            self._queues[caller] = deque()
            self._turns.append(caller)
        self._queues[caller].append(waiter)

    def _leave(self, caller: Caller, waiter: _Waiter) -> None:
        queue = self._queues[caller]
        queue.remove(waiter)
        if not queue:
            del self._queues[caller]
            self._turns.remove(caller)

    def _full(self, why: str) -> RateLimited:
        return RateLimited(
            f"All {self.most} processes of the Claude Code CLI are busy, and {why} "
            "(plugins.claude_code.max_processes, max_queue, queue_seconds).",
            retry_after=max(1.0, self._queue_seconds / 10),
        )
