"""All CLI processes of a gateway: spare, at work, or idle until a conversation needs them.

Each has a slot (`admission`). One that has answered waits for its conversation to go on, or for
another of its set-up (`reuse.choice`); requests that find none wait for a slot, for their turn to
start a process, or for one that becomes idle, whatever comes first (`seekers`).
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeAlias

import anyio

from gateway.context import RequestContext
from gateway_claude_code.account.quota import Quota
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.orphans.reaper import OrphanReaper
from gateway_claude_code.pool.admission import Slots, default_processes
from gateway_claude_code.pool.live import LiveConversations
from gateway_claude_code.pool.processes import Processes, logged
from gateway_claude_code.pool.ready import ReadyProcesses
from gateway_claude_code.pool.refill import Refill
from gateway_claude_code.pool.seekers import Seeker, Seekers
from gateway_claude_code.pool.set_ups import SetUps
from gateway_claude_code.pool.spares import Spares
from gateway_claude_code.pool.start_turns import StartTurns
from gateway_claude_code.process.launch import Launch
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.process.starts import Start, Starts, starts_at_a_time
from gateway_claude_code.request.canonical import Digest
from gateway_claude_code.reuse.choice import Waiting, choose, is_brief
from gateway_claude_code.reuse.set_up import Wanted

ProcessKind: TypeAlias = Literal["live", "reused", "spare", "cold"]

ASIDE: Final = "(the gateway itself)"
TENDING_SECONDS: Final = 5
WITH_FIRST_TURN: Final = 1.5
"""A start and the first turn, which a new process makes slowly, beside the start alone (2.1.330)."""
LOOK_SECONDS: Final = 0.1
LOOKS: Final = 10
"""How often, and how many times, a request that waits for a process to be back looks if one still
should be back before another would have started."""


class Pool:
    """Gives out conversations, and takes them back. Works only within `running`."""

    def __init__(self, config: ClaudeCodeConfig, reaper: OrphanReaper | None = None) -> None:
        self._config = config
        self.quota = Quota()
        self._spares = Spares(config.min_spares, config.max_spares, config.spare_seconds)
        self._live: LiveConversations[Conversation] = LiveConversations(
            0 if config.reuse == "off" or not config.keep_alive else config.max_live,
            config.keep_alive,
        )
        self.slots = Slots(
            config.max_processes or default_processes(),
            config.max_queue,
            config.queue_seconds,
            self._make_room,
        )
        self.starts = Starts(starts_at_a_time(), config.queue_seconds, self._set_news)
        self._start_turns = StartTurns(self.slots, self.starts)
        self._processes = Processes(
            config, self.slots, reaper or OrphanReaper(None), self.quota.note, self._set_news
        )
        self._seekers = Seekers()
        self.set_ups = SetUps(config.max_spares if self._live.most else 0, config.keep_alive)
        self._ready = ReadyProcesses(
            self.set_ups, self._live, self._spares, self._processes, self.keep
        )
        self._refill = Refill(
            self._spares, self.slots, self.starts, self._processes, self._make_room
        )
        self._news = anyio.Event()
        self._taken: dict[ProcessKind, int] = {"live": 0, "reused": 0, "spare": 0, "cold": 0}

    @property
    def counts(self) -> dict[str, int]:
        """The number of processes in each state, and of the calls that wait for one.

        Those "aside" are for the gateway's own questions. A call that has its slot, and waits for its
        turn to start a process, has none yet.
        """
        spare, live, aside = len(self._spares), len(self._live), self.slots.used_aside
        return {
            "busy": self.slots.used - spare - live - aside - self._start_turns.waiting,
            "live": live,
            "spare": spare,
            "aside": aside,
            "waiting": self.slots.waiting + self._start_turns.waiting,
        }

    def report(self) -> dict[str, Any]:
        """For `GET /health`: the processes by state, the plan's quota, and reasons for failures.

        `account` is there while the account is refused (`Quota.account`).

        `taken` says how many answers began with a process that had the conversation already
        ("live"), one that had other conversations before ("reused"), one that was started ahead
        ("spare"), and one that was not ("cold").
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
        async with self._processes.running(self._tend, self.close_idle):
            yield

    # -- for requests -----------------------------------------------------------------

    async def take_live(self, key: Digest) -> Conversation | None:
        """The conversation that waits to be continued with this, if there is one."""
        conversation = self._live.take(key)
        if conversation is None or not await self._is_settled(conversation):
            return None
        self._taken["live"] += 1
        return conversation

    async def take_idle(self, wanted: Wanted, *, urgent: bool = False) -> Conversation | None:
        """An idle process for a conversation that none waits for; see `choose`.

        None while it is another's turn to get a process.
        """
        if self.slots.next_caller not in (None, wanted.set_up.caller):
            return None
        while (found := self._choose(wanted, urgent=urgent)) is not None:
            others = self._seekers.first_for(found) if is_brief(found) else None
            if others is not None and not urgent and not found.settled:
                return None  # one that came first gets it once it has settled
            self._live.remove(found)
            if await self._is_settled(found):
                if self.slots.next_caller == wanted.set_up.caller:
                    self.slots.pass_turn()
                self._taken["reused"] += 1
                return found
        return None

    def _choose(self, wanted: Wanted, *, urgent: bool) -> Conversation | None:
        return choose([Waiting(*each) for each in self._live.idle()], wanted, urgent=urgent)

    async def _is_settled(self, conversation: Conversation) -> bool:
        """Whether one that was taken can be used; else it is closed."""
        was_settled, reusable = conversation.settled, False
        self.begin(conversation)
        try:
            reusable = await conversation.reusable()
            if not was_settled:
                self._processes.rounds.end(conversation)
                self.begin(conversation)
        finally:
            if not reusable:
                self.retire(conversation)
        return reusable

    async def obtain(
        self,
        launch: Launch,
        caller: str,
        ctx: RequestContext | None = None,
        *,
        fresh: bool = False,
        wanted: Wanted | None = None,
    ) -> Conversation:
        """A process that was told nothing yet; a `fresh` one was not a spare.

        If `wanted` is given, it may also be one that was used before and has just become idle.
        Raises `BackendUnavailable` and `GatewayBusy`.
        """
        self.starts.breaker.notice((launch.program, launch.stamp))
        outdated = self._spares.forget_other_programs(launch)
        for given_up in (*outdated, *self._spares.take_useless()):
            self.retire(given_up)
        if wanted is None:
            return self._spare(launch, fresh=fresh) or await self._new(launch, caller, ctx)
        with self._seekers.seeking(wanted) as seeker:
            obtained = None
            try:
                obtained = await self._sought(seeker, launch, caller, ctx, fresh=fresh)
            finally:
                if seeker.found not in (None, obtained):
                    self.keep(seeker.found, None)
        if ctx is not None:
            ctx.group.begin(ctx.request_id)
        return obtained

    async def _sought(
        self,
        seeker: Seeker,
        launch: Launch,
        caller: str,
        ctx: RequestContext | None,
        *,
        fresh: bool,
    ) -> Conversation:
        with seeker.until_handed():
            await self._wait_for_return(seeker)
        if seeker.found is not None:
            return self._reused(seeker.found)
        if (spare := self._spare(launch, fresh=fresh)) is not None:
            return spare
        # before room is made for it, at the cost of what waits
        self.starts.breaker.look()
        if self.slots.full and (idle := await self.take_idle(seeker.wanted, urgent=True)):
            return idle
        start: Start | None = None
        with seeker.until_handed():
            start = await self._start_turns.acquire(caller, ctx)
        if seeker.found is None and start is not None:
            return await self._started(launch, start)
        if start is not None:
            self._start_turns.give_back(start)
        assert seeker.found is not None  # noqa: S101 - nothing else ends the wait
        return self._reused(seeker.found)

    async def _wait_for_return(self, seeker: Seeker) -> None:
        """Wait while a process may be back sooner than another one would be ready."""
        most = min(self.starts.seconds * WITH_FIRST_TURN, LOOKS * LOOK_SECONDS)
        for _ in range(LOOKS):
            ahead = self._seekers.ahead_of(seeker)
            expected = self._processes.rounds.seconds_until_back(seeker.wanted.set_up, ahead)
            if expected is None or expected > most:
                return
            await anyio.sleep(LOOK_SECONDS)

    def _reused(self, conversation: Conversation) -> Conversation:
        self._taken["reused"] += 1
        return conversation

    def _spare(self, launch: Launch, *, fresh: bool) -> Conversation | None:
        spare = None if fresh else self._spares.take(launch)
        self._refill.put_off()
        self._news.set()
        if spare is not None:
            self._taken["spare"] += 1
        return spare

    async def _new(self, launch: Launch, caller: str, ctx: RequestContext | None) -> Conversation:
        self.starts.breaker.look()
        return await self._started(launch, await self._start_turns.acquire(caller, ctx))

    async def _started(self, launch: Launch, start: Start) -> Conversation:
        conversation = await self._processes.start(launch, start)
        self._taken["cold"] += 1
        return conversation

    def begin(self, conversation: Conversation) -> None:
        """Note that a request has got this process, whose set-up is known by now."""
        if (set_up := conversation.held.set_up) is not None:
            self._processes.rounds.begin(conversation, set_up)

    @asynccontextmanager
    async def aside(self, launch: Launch) -> AsyncGenerator[CliProcess]:
        """A process for a question of the gateway's own, in a slot like all others.

        Raises `BackendUnavailable`, and `GatewayBusy` when no slot gets free in time.
        """
        async with self.slots.aside(ASIDE):
            start = await self.starts.turn(tries=False)
            async with self._processes.aside(launch, start) as process:
                yield process

    def keep(self, conversation: Conversation, key: Digest | None) -> None:
        """Let a process wait, as soon as it has settled: for what continues its conversation.

        Without a key, it waits for another conversation only.
        """
        if not self._live.most or conversation not in self._processes or conversation.held.worn:
            self.retire(conversation)
            return
        for given_up in self._live.keep(key, conversation):
            self.retire(given_up)
        self._processes.care(self._settle, conversation)
        if self.slots.waiting and conversation.held.set_up is None:
            self._make_room()
        self._news.set()

    def recover(self, conversation: Conversation) -> None:
        """Have the last turn of a process cut off, which may not be over, and let it wait."""
        held = conversation.held
        if held.set_up is None or held.worn or not self._live.most:
            self.retire(conversation)
            return
        self._processes.care(self._recover, conversation)

    async def _recover(self, conversation: Conversation) -> None:
        if conversation not in self._processes:
            return  # it is being closed
        is_sound = False
        try:
            is_sound = await conversation.recover() and conversation in self._processes
        finally:
            if is_sound:
                self.keep(conversation, None)
            else:
                self.retire(conversation)

    async def _settle(self, conversation: Conversation) -> None:
        """Close the process of one that turns out not to wait: it may be asking on by itself.

        One that does is given to a request that waits, or to one that needs its room.
        """
        await conversation.settle()
        if await conversation.reusable():
            self._offer(conversation)
        elif self._live.remove(conversation):
            self.recover(conversation)

    def _offer(self, conversation: Conversation) -> None:
        """Give an idle process to a request that waits for one like it, or its room to another."""
        caller = self.slots.next_caller
        seeker = None
        if conversation in self._live:
            if is_brief(conversation):
                self._processes.rounds.end(conversation)
                seeker = self._seekers.first_for(conversation)
            else:
                self._processes.rounds.forget(conversation)  # it is back for its own only
        if seeker is not None and caller in (None, seeker.wanted.set_up.caller):
            self._live.remove(conversation)
            seeker.hand(conversation)
            self.slots.pass_turn()
        elif self.slots.waiting_answers > self._processes.closing:
            self._make_room()

    def retire(self, conversation: Conversation) -> None:
        """Close a process, and give its slot back; once."""
        self._processes.retire(conversation)

    def forget(self, caller: str) -> None:
        """End the idle processes of a caller, and those at work once their answer is over."""
        self.set_ups.forget(caller)
        self._processes.forget(caller)
        for conversation, _ in self._live.idle():
            if conversation.held.caller == caller and self._live.remove(conversation):
                self.retire(conversation)

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
            self._ready.cut_short_ones()
            if not self._refill.pause:
                if not self.slots.waiting:
                    self._ready.set_up_spares()
                await logged(self._refill.start_missing)
            with anyio.move_on_after(self._pause()):
                await self._news.wait()

    def _take_useless(self) -> list[Conversation]:
        dead = self._live.take_dead(lambda conversation: conversation.alive)
        return [*self._spares.take_useless(), *dead, *self._live.take_expired()]

    def _set_news(self) -> None:
        self._news.set()

    def _pause(self) -> float:
        """Seconds until there may be something to do."""
        pauses = (self._live.next_expiry(), self._refill.pause or None, TENDING_SECONDS)
        return min(pause for pause in pauses if pause is not None)

    def _forget_replaced_program(self) -> None:
        """An update of the CLI must not be found out by the request that comes after it."""
        usual = self._spares.usual
        if usual is not None:
            current = usual.as_on_disk()
            self.starts.breaker.notice((current.program, current.stamp))
            for outdated in self._spares.forget_other_programs(current):
                self.retire(outdated)

    def _make_room(self) -> bool:
        conversation = self._spares.take_any() or self._live.take_oldest()
        if conversation is not None:
            self.retire(conversation)
        return conversation is not None
