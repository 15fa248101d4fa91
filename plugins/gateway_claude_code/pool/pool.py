"""All CLI processes of a gateway: spare, at work, or waiting for their conversation to go on.

Each has a slot (`admission`), is used for one conversation, and is closed in the background.
"""

import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Final, Literal, TypeAlias

import anyio
from anyio.abc import TaskGroup

from gateway.context import RequestContext
from gateway.errors import BackendUnavailable, GatewayError
from gateway_claude_code.account.quota import Quota
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.orphans.reaper import OrphanReaper
from gateway_claude_code.pool.admission import Slots, default_processes
from gateway_claude_code.pool.live import LiveConversations
from gateway_claude_code.pool.spares import Spares
from gateway_claude_code.process.launch import Launch
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.process.starts import Start, Starts, starts_at_a_time
from gateway_claude_code.request.canonical import Digest

log = logging.getLogger("gateway_claude_code")

ProcessKind: TypeAlias = Literal["live", "spare", "cold"]

ASIDE: Final = "(the gateway itself)"
TENDING_SECONDS: Final = 5
FAILED_SECONDS: Final = 10
"""How long no spare is started after one could not be."""
REFILL_SECONDS: Final = 0.5
"""How long no spare is started after a request got its process. A CLI that starts keeps a core
busy, and that core is better used for getting the request to the model; then it waits anyway."""


class Pool:
    """Gives out conversations, and takes them back. Works only within `running`."""

    def __init__(self, config: ClaudeCodeConfig, reaper: OrphanReaper | None = None) -> None:
        self._config = config
        self._reaper = reaper or OrphanReaper(None)
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
        self.starts = Starts(starts_at_a_time(), config.queue_seconds, self._set_news)
        self._owned: dict[Conversation, Start] = {}
        self._tasks: TaskGroup | None = None
        self._tending: TaskGroup | None = None
        self._news = anyio.Event()
        self._no_spare_until = 0.0
        self._before_start = 0
        self._taken: dict[ProcessKind, int] = {"live": 0, "spare": 0, "cold": 0}

    @property
    def counts(self) -> dict[str, int]:
        """The number of processes in each state, and of the calls that wait for one.

        Those "aside" are for the gateway's own questions. A call that has its slot, and waits for its
        turn to start a process, has none yet.
        """
        spare, live, aside = len(self._spares), len(self._live), self.slots.used_aside
        return {
            "busy": self.slots.used - spare - live - aside - self._before_start,
            "live": live,
            "spare": spare,
            "aside": aside,
            "waiting": self.slots.waiting + self._before_start,
        }

    def report(self) -> dict[str, Any]:
        """For `GET /health`: the processes by state, the plan's quota, and reasons for failures.

        `account` is there while the account is refused (`Quota.account`).

        `taken` says how many answers began with a process that had the conversation already
        ("live"), one that was started ahead ("spare"), and one that was not ("cold").
        """
        quota, account = self.quota.report(), self.quota.account()
        return {
            "processes": self.counts,
            "taken": dict(self._taken),
            **({"quota": quota} if quota else {}),
            **({"account": account} if account else {}),
            **self.starts.breaker.report(),
        }

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Tend to the processes; at the end close them all, also those at work."""
        await self._reaper.end_orphans()
        with self._reaper.tracking():
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                try:
                    async with anyio.create_task_group() as tending:
                        self._tending = tending
                        tending.start_soon(self._tend)
                        yield
                        tending.cancel_scope.cancel()
                finally:
                    self.close_idle()
                    for conversation in list(self._owned):
                        self.retire(conversation)
                    self._tasks = self._tending = None

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
        if not reusable:
            return None
        self._taken["live"] += 1
        return conversation

    async def obtain(
        self,
        launch: Launch,
        caller: str,
        ctx: RequestContext | None = None,
        *,
        fresh: bool = False,
    ) -> Conversation:
        """A process that was told nothing yet; a `fresh` one was not a spare.

        Raises `BackendUnavailable` and `GatewayBusy`.
        """
        self.starts.breaker.notice((launch.program, launch.stamp))
        outdated = self._spares.forget_other_programs(launch)
        for given_up in (*outdated, *self._spares.take_useless()):
            self.retire(given_up)
        spare = None if fresh else self._spares.take(launch)
        now = time.monotonic()
        if self._no_spare_until <= now:
            self._no_spare_until = now + REFILL_SECONDS
        self._news.set()
        if spare is not None:
            self._taken["spare"] += 1
            return spare
        # before room is made for it, at the cost of what waits
        self.starts.breaker.look()
        await self.slots.acquire(caller, ctx)
        try:
            start = await self._turn_to_start(ctx)
        except BaseException:
            self.slots.release()
            raise
        conversation = await self._start(launch, start)
        self._taken["cold"] += 1
        return conversation

    async def _turn_to_start(self, ctx: RequestContext | None) -> Start:
        self._before_start += 1
        try:
            with ctx.waiting() if ctx is not None else nullcontext():
                start = await self.starts.turn()
        finally:
            self._before_start -= 1
        if ctx is not None:
            ctx.group.begin(ctx.request_id)
        return start

    @asynccontextmanager
    async def aside(self, launch: Launch) -> AsyncGenerator[CliProcess]:
        """A process for a question of the gateway's own, in a slot like all others.

        Raises `BackendUnavailable`, and `GatewayBusy` when no slot gets free in time.
        """
        async with self.slots.aside(ASIDE):
            start = await self.starts.turn(tries=False)
            try:
                process = await self._launched(launch, start)
                try:
                    self._reaper.add(process.pid)
                    yield process
                finally:
                    with anyio.CancelScope(shield=True):
                        await process.close(busy=False)
                    self._reaper.remove(process.pid)
            finally:
                start.give_up()

    def keep(self, conversation: Conversation, key: Digest) -> None:
        """Let a conversation wait for what continues it, as soon as its process has settled."""
        if not self._live.most or conversation not in self._owned:
            self.retire(conversation)
            return
        for given_up in self._live.keep(key, conversation):
            self.retire(given_up)
        self._start_soon(self._settle, conversation)
        if self.slots.waiting:
            self._make_room()
        self._news.set()

    async def _settle(self, conversation: Conversation) -> None:
        """Close the process of one that turns out not to wait: it may be asking on by itself."""
        await conversation.settle()
        if not await conversation.reusable():
            for useless in self._live.take_dead(lambda each: each is not conversation):
                self.retire(useless)

    def retire(self, conversation: Conversation) -> None:
        """Close a process, and give its slot back; once."""
        start = self._owned.pop(conversation, None)
        if start is not None:
            start.give_up()
            self._start_soon(self._close, conversation)

    def expect(self, launch: Launch) -> None:
        """Have spares of this kind from now on."""
        self._spares.expect(launch)
        self._news.set()

    def close_idle(self) -> None:
        """Close every process that is not at work; no spare is started any more."""
        for conversation in (*self._live.take_all(), *self._spares.take_all()):
            self.retire(conversation)

    # -- in the background ------------------------------------------------------------

    async def _tend(self) -> None:
        while True:
            self._news = anyio.Event()
            self._forget_replaced_program()
            for useless in self._take_useless():
                self.retire(useless)
            if time.monotonic() >= self._no_spare_until:
                await _logged(self._start_missing)
            with anyio.move_on_after(self._pause()):
                await self._news.wait()

    def _take_useless(self) -> list[Conversation]:
        dead = self._live.take_dead(lambda conversation: conversation.alive)
        return [*self._spares.take_useless(), *dead, *self._live.take_expired()]

    def _set_news(self) -> None:
        self._news.set()

    async def _watch(self, conversation: Conversation) -> None:
        """A process that ends while nobody waits for it is noticed at once."""
        await conversation.ended()
        self._news.set()

    def _pause(self) -> float:
        """Seconds until there may be something to do."""
        refill = self._no_spare_until - time.monotonic()
        pauses = (self._live.next_expiry(), refill if refill > 0 else None, TENDING_SECONDS)
        return min(pause for pause in pauses if pause is not None)

    def _forget_replaced_program(self) -> None:
        """An update of the CLI must not be found out by the request that comes after it."""
        usual = self._spares.usual
        if usual is not None:
            current = usual.as_on_disk()
            self.starts.breaker.notice((current.program, current.stamp))
            for outdated in self._spares.forget_other_programs(current):
                self.retire(outdated)

    async def _start_missing(self) -> None:
        while (launch := self._spares.missing()) is not None:
            if not launch.on_disk or not self.slots.try_acquire():
                return
            if (start := self.starts.spare_turn()) is None:
                self.slots.release()
                return
            try:
                spare = await self._start(launch, start)
            except GatewayError as error:
                self._no_spare(error)
                return
            self._spares.add(launch, spare)
            if self._tending is not None:
                self._tending.start_soon(_logged, self._warm_up, spare)
            if self.slots.waiting:
                self._make_room()

    async def _warm_up(self, spare: Conversation) -> None:
        try:
            await spare.warm_up()
        except GatewayError as error:
            if spare not in self._owned:
                return  # it was closed meanwhile
            self._no_spare(error)
            if self._spares.remove(spare):
                self.retire(spare)
        self._news.set()

    def _no_spare(self, error: GatewayError) -> None:
        log.warning("no spare process could be started: %s", error.message)
        self._no_spare_until = time.monotonic() + FAILED_SECONDS

    async def _start(self, launch: Launch, start: Start) -> Conversation:
        """Start a process in a slot that was acquired. From here on the pool owns it."""
        try:
            process = await self._launched(launch, start)
        except BaseException:
            self.slots.release()
            raise
        seconds = self._config.start_seconds
        conversation = Conversation(process, seconds, self.quota.note, start)
        self._owned[conversation] = start
        if self._tending is None:
            await self._close_late(conversation)
            raise BackendUnavailable("the gateway is ending")
        self._reaper.add(process.pid)
        self._tending.start_soon(_logged, self._watch, conversation)
        return conversation

    async def _close_late(self, conversation: Conversation) -> None:
        """Close one whose start was not over when all others were closed."""
        self._owned.pop(conversation).give_up()
        await self._close(conversation)

    async def _launched(self, launch: Launch, start: Start) -> CliProcess:
        try:
            return await launch.start(self._config.close_seconds)
        except GatewayError as error:
            start.failed(error)
            raise
        except BaseException:
            start.give_up()
            raise

    def _make_room(self) -> bool:
        conversation = self._spares.take_any() or self._live.take_oldest()
        if conversation is not None:
            self.retire(conversation)
        return conversation is not None

    async def _close(self, conversation: Conversation) -> None:
        try:
            await conversation.close()
        finally:
            self.slots.release()
            self._reaper.remove(conversation.pid)
            self._news.set()
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
        log.exception("maintaining a process failed")
