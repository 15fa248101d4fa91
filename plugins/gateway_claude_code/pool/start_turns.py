"""A slot, and in it the turn to start a process: what a request waits for that gets a new one."""

from contextlib import nullcontext

from gateway.context import RequestContext
from gateway_claude_code.pool.admission import Slots
from gateway_claude_code.process.starts import Start, Starts


class StartTurns:
    """Gives them out; `waiting` is how many requests have a slot, and wait for their turn."""

    def __init__(self, slots: Slots, starts: Starts) -> None:
        self._slots = slots
        self._starts = starts
        self.waiting = 0

    async def acquire(self, caller: str, ctx: RequestContext | None) -> Start:
        """Both. Raises `BackendUnavailable` and `GatewayBusy`."""
        await self._slots.acquire(caller, ctx)
        try:
            return await self._turn(ctx)
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, start: Start) -> None:
        """Neither is needed any more."""
        start.give_up()
        self._slots.release()

    async def _turn(self, ctx: RequestContext | None) -> Start:
        self.waiting += 1
        try:
            with ctx.waiting() if ctx is not None else nullcontext():
                start = await self._starts.turn()
        finally:
            self.waiting -= 1
        if ctx is not None:
            ctx.group.begin(ctx.request_id)
        return start
