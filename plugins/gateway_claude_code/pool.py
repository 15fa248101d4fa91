"""All CLI processes of a gateway: spare, at work, or waiting for their conversation to go on.

Each has a slot (`admission`), is used for one conversation, and is closed in the background.
"""

import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup

from gateway.context import RequestContext
from gateway.errors import GatewayError
from gateway_claude_code.admission import Slots, default_processes
from gateway_claude_code.canonical import Digest
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversation import Conversation
from gateway_claude_code.keeper import Keeper
from gateway_claude_code.launch import Launch
from gateway_claude_code.live import LiveConversations
from gateway_claude_code.process import CliProcess
from gateway_claude_code.quota import Quota
from gateway_claude_code.spares import Spares

log = logging.getLogger("gateway_claude_code")

ASIDE: Final = "(the gateway itself)"
TENDING_SECONDS: Final = 5
FAILED_SECONDS: Final = 10
"""How long no spare is started after one could not be."""
REFILL_SECONDS: Final = 0.5
"""How long no spare is started after a request got its process. A CLI that starts keeps a core
busy, and that core is better used for getting the request to the model; then it waits anyway."""


class Pool:
    """Gives out conversations, and takes them back. Works only within `running`."""

    def __init__(self, config: ClaudeCodeConfig, keeper: Keeper | None = None) -> None:
        self._config = config
        self._keeper = keeper or Keeper(None)
        self.quota = Quota()
        self._spares = Spares(config.min_spares, config.max_spares, config.spare_seconds)
        self._live: LiveConversations[Conversation] = LiveConversations(
            config.max_live if config.keep_alive else 0, config.keep_alive
        )
        self.slots = Slots(
            config.max_processes or default_processes(),
            config.max_queue,
            config.queue_seconds,
            self._make_room,
        )
        self._tasks: TaskGroup | None = None
        self._news = anyio.Event()
        self._no_spare_until = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """How many processes there are, of each state, and how many calls wait for one."""
        spare, live = len(self._spares), len(self._live)
        busy = self.slots.used - spare - live
        return {"busy": busy, "live": live, "spare": spare, "waiting": self.slots.waiting}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Tend to the processes; at the end close them all."""
        await self._keeper.end_orphans()
        with self._keeper.keeping():
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                try:
                    async with anyio.create_task_group() as tending:
                        tending.start_soon(self._tend)
                        yield
                        tending.cancel_scope.cancel()
                finally:
                    for conversation in (*self._live.take_all(), *self._spares.take_all()):
                        self.retire(conversation)
            self._tasks = None

    # -- for requests -----------------------------------------------------------------

    async def take_live(self, key: Digest) -> Conversation | None:
        """The conversation that waits to be continued with this, if there is one."""
        conversation = self._live.take(key)
        if conversation is None:
            return None
        reusable = False
        try:
            reusable = await conversation.reusable()
        finally:
            if not reusable:
                self.retire(conversation)
        return conversation if reusable else None

    async def obtain(
        self, launch: Launch, caller: str, ctx: RequestContext | None = None
    ) -> Conversation:
        """A process that was told nothing yet. Raises `BackendUnavailable` and `GatewayBusy`."""
        outdated = self._spares.forget_other_programs(launch)
        for given_up in (*outdated, *self._spares.take_useless()):
            self.retire(given_up)
        spare = self._spares.take(launch)
        now = time.monotonic()
        if self._no_spare_until <= now:
            self._no_spare_until = now + REFILL_SECONDS
        self._news.set()
        if spare is not None:
            return spare
        await self.slots.acquire(caller, ctx)
        return await self._start(launch)

    @asynccontextmanager
    async def aside(self, launch: Launch) -> AsyncGenerator[CliProcess]:
        """A process for a question of the gateway's own, in a slot like all others.

        Raises `BackendUnavailable`, and `GatewayBusy` when no slot gets free in time.
        """
        await self.slots.acquire(ASIDE)
        try:
            process = await launch.start(self._config.close_seconds)
            self._keeper.add(process.pid)
            try:
                yield process
            finally:
                with anyio.CancelScope(shield=True):
                    await process.close(busy=False)
                self._keeper.remove(process.pid)
        finally:
            self.slots.release()

    def keep(self, conversation: Conversation, key: Digest) -> None:
        """Let a conversation wait for what continues it, as soon as its process has settled."""
        if not self._live.most:
            self.retire(conversation)
            return
        for given_up in self._live.keep(key, conversation):
            self.retire(given_up)
        self._start_soon(conversation.settle)
        if self.slots.waiting:
            self._make_room()
        self._news.set()

    def retire(self, conversation: Conversation) -> None:
        """Close a process, and give its slot back."""
        self._start_soon(self._close, conversation)

    def expect(self, launch: Launch) -> None:
        """Have spares of this kind from now on."""
        self._spares.expect(launch)
        self._news.set()

    # -- in the background ------------------------------------------------------------

    async def _tend(self) -> None:
        while True:
            self._news = anyio.Event()
            self._forget_replaced_program()
            for useless in (*self._spares.take_useless(), *self._live.take_expired()):
                self.retire(useless)
            if time.monotonic() >= self._no_spare_until:
                await _logged(self._start_missing)
            with anyio.move_on_after(self._pause()):
                await self._news.wait()

    def _pause(self) -> float:
        """Seconds until there may be something to do."""
        refill = self._no_spare_until - time.monotonic()
        pauses = (self._live.next_expiry(), refill if refill > 0 else None, TENDING_SECONDS)
        return min(pause for pause in pauses if pause is not None)

    def _forget_replaced_program(self) -> None:
        """An update of the CLI must not be found out by the request that comes after it."""
        usual = self._spares.usual
        if usual is not None:
            for outdated in self._spares.forget_other_programs(usual.as_on_disk()):
                self.retire(outdated)

    async def _start_missing(self) -> None:
        while (launch := self._spares.missing()) is not None and self.slots.try_acquire():
            try:
                self._spares.add(launch, await self._start(launch))
                if self.slots.waiting:
                    self._make_room()
            except GatewayError as error:
                log.warning("no spare process could be started: %s", error.message)
                self._no_spare_until = time.monotonic() + FAILED_SECONDS
                return

    async def _start(self, launch: Launch) -> Conversation:
        """Start a process in a slot that was acquired."""
        try:
            process = await launch.start(self._config.close_seconds)
        except BaseException:
            self.slots.release()
            raise
        self._keeper.add(process.pid)
        return Conversation(process, self._config.start_seconds, self.quota.note)

    def _make_room(self) -> bool:
        conversation = self._spares.take_any() or self._live.take_oldest()
        if conversation is not None:
            self.retire(conversation)
        return conversation is not None

    async def _close(self, conversation: Conversation) -> None:
        try:
            await conversation.close()
        finally:
            self._keeper.remove(conversation.pid)
            self.slots.release()
        if conversation.last_stderr:
            log.debug("the CLI said: %s", conversation.last_stderr)

    def _start_soon(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        if self._tasks is None:
            raise RuntimeError("the pool is not running")
        self._tasks.start_soon(_logged, work, *args)


async def _logged(work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
    """A fault in one process' care must not end that of all others."""
    try:
        await work(*args)
    except Exception:
        log.exception("caring for a process failed")
