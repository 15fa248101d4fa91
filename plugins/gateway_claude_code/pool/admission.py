"""The limit of processes, and the line of requests for the next one.

Every process has a slot from its start to its end. Requests that find none wait in line, where
callers take turns, and so do the calls of one caller (`gateway.load.turns`).

A call may ask for many answers (`n`), each with a process of its own. It is one place in line,
however many of them wait; and `queue_seconds` count only while none of them has a process, as
those that have one will give it back.
"""

import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio

from gateway.context import AnswerGroup, RequestContext
from gateway.errors import GatewayBusy
from gateway.load.turns import Turns
from gateway.machine.process_facts import memory_bytes

PROCESS_BYTES: Final = 400 * 1024 * 1024
"""The memory that a process is reckoned to take: 160 MB when idle, more after long conversations."""
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
    """`most` slots, `used` in all, `used_aside` of them by the gateway itself.

    `make_room` is called when somebody has to wait. It says whether a slot will soon be given back
    for that; then even a full line is no obstacle.
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
        self._line: Turns[_Waiter] = Turns()
        self.used = 0
        self.used_aside = 0

    @property
    def waiting(self) -> int:
        """The number of calls in line."""
        return self._line.calls

    @property
    def waiting_answers(self) -> int:
        """The same, with each of the answers that a call waits for."""
        return len(self._line)

    @property
    def full(self) -> bool:
        """Whether a request would have to wait for a slot."""
        return self.used >= self.most or bool(self._line)

    @property
    def next_caller(self) -> str | None:
        """The caller whose turn it is to get a slot, if anybody waits."""
        return self._line.next_caller

    def pass_turn(self) -> None:
        """Note that this caller has got a process in another way: it is the others' turn."""
        self._line.pass_turn()

    def try_acquire(self) -> bool:
        """Take a slot if one is free and nobody is waiting for it."""
        if self.used >= self.most or self._line:
            return False
        self.used += 1
        return True

    async def acquire(self, caller: str, ctx: RequestContext | None = None) -> None:
        """Wait for a slot. Raises `GatewayBusy` when the line is too long, or does not move.

        `ctx` is that of the answer that the slot is for; without it, it is a call of its own.
        """
        ctx = ctx or RequestContext(request_id=caller)
        if not self.try_acquire():
            await self._stand_in_line(caller, ctx)
        ctx.group.begin(ctx.request_id)

    @asynccontextmanager
    async def aside(self, caller: str) -> AsyncGenerator[None]:
        """A slot for something of the gateway's own, in line as one caller more.

        Raises `GatewayBusy`.
        """
        await self.acquire(caller)
        self.used_aside += 1
        try:
            yield
        finally:
            self.used_aside -= 1
            self.release()

    def release(self) -> None:
        """Give a slot back: to the next in line, if there is one."""
        if self._line:
            self._line.next().admitted.set()
        else:
            self.used -= 1

    async def _stand_in_line(self, caller: str, ctx: RequestContext) -> None:
        has_place = bool(ctx.group.at_work) or self._line.has(caller, ctx.group)
        if not self._make_room() and self.waiting >= self._longest_queue and not has_place:
            raise self._full("too many requests are already waiting")
        waiter = _Waiter()
        self._line.add(caller, ctx.group, waiter)
        try:
            with ctx.waiting():
                await self._admission(waiter, ctx.group)
        except BaseException:
            if waiter.admitted.is_set():
                self.release()
            else:
                self._line.remove(caller, ctx.group, waiter)
            raise

    async def _admission(self, waiter: _Waiter, group: AnswerGroup) -> None:
        arrived = time.monotonic()
        while not waiter.admitted.is_set():
            now = time.monotonic()
            since = now if group.at_work else max(arrived, group.idle_since)
            if since + self._queue_seconds <= now:
                raise self._full(f"none became free within {self._queue_seconds:g} s")
            with anyio.move_on_after(since + self._queue_seconds - now):
                await waiter.admitted.wait()

    def _full(self, why: str) -> GatewayBusy:
        return GatewayBusy(
            f"All {self.most} processes of the Claude Code CLI are busy, and {why} "
            "(plugins.claude_code.max_processes, max_queue, queue_seconds).",
            retry_after=max(1.0, self._queue_seconds / 10),
        )
