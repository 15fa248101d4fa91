"""Starting spares in the background, when no request needs the machine more."""

import logging
import time
from collections.abc import Callable
from typing import Final

from gateway.errors import GatewayError
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.pool.admission import Slots
from gateway_claude_code.pool.processes import Processes
from gateway_claude_code.pool.spares import Spares
from gateway_claude_code.process.starts import Starts

log = logging.getLogger("gateway_claude_code")

FAILED_SECONDS: Final = 10
"""How long no spare is started after one could not be."""
REFILL_SECONDS: Final = 0.5
"""How long no spare is started after a request got its process. A CLI that starts keeps a core
busy, and that core is better used for getting the request to the model; then it waits anyway."""


class Refill:
    """Has the wanted spares started; `make_room` is called when somebody waits for the slot of one."""

    def __init__(
        self,
        spares: Spares,
        slots: Slots,
        starts: Starts,
        processes: Processes,
        make_room: Callable[[], object],
    ) -> None:
        self._spares = spares
        self._slots = slots
        self._starts = starts
        self._processes = processes
        self._make_room = make_room
        self._not_until = 0.0

    @property
    def pause(self) -> float:
        """Seconds until spares may be started; 0 if they may be now."""
        return max(self._not_until - time.monotonic(), 0.0)

    def put_off(self) -> None:
        """Note that a request has got its process."""
        now = time.monotonic()
        if self._not_until <= now:
            self._not_until = now + REFILL_SECONDS

    async def start_missing(self) -> None:
        """Start all that are wanted, as far as there are slots and turns to start."""
        while (launch := self._spares.missing()) is not None:
            if not launch.on_disk or not self._slots.try_acquire():
                return
            if (start := self._starts.spare_turn()) is None:
                self._slots.release()
                return
            try:
                spare = await self._processes.start(launch, start)
            except GatewayError as error:
                self._failed(error)
                return
            self._spares.add(launch, spare)
            self._processes.tend(self._warm_up, spare)
            if self._slots.waiting:
                self._make_room()

    async def _warm_up(self, spare: Conversation) -> None:
        try:
            await spare.warm_up()
        except GatewayError as error:
            if spare not in self._processes:
                return  # it was closed meanwhile
            self._failed(error)
            if self._spares.remove(spare):
                self._processes.retire(spare)
        self._processes.set_news()

    def _failed(self, error: GatewayError) -> None:
        log.warning("no spare process could be started: %s", error.message)
        self._not_until = time.monotonic() + FAILED_SECONDS
