"""A process that becomes idle goes to a request of its set-up that waits, unless it is another's turn."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import anyio
import pytest
from anyio.lowlevel import checkpoint

from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.warming import Recipe
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.pool.set_ups import ENOUGH
from gateway_claude_code.reuse.held import MOST_CONVERSATIONS
from gateway_claude_code.reuse.set_up import SetUp, Wanted
from tests.claude_code.pool.pool_support import (
    KEY,
    a_launch,
    a_pool,
    process_of,
    quiet,
)

pytestmark = pytest.mark.usefixtures("at_once")

LAUNCH = a_launch()


def wanted(caller: str = "a", digest: bytes = b"1") -> Wanted:
    return Wanted(
        set_up=SetUp(LAUNCH, caller, digest), opening=b"tools", prefixes=(b"1", b"12", b"123")
    )


async def obtained(pool: Pool, want: Wanted) -> Conversation:
    """A process of this set-up, with the first turn of a conversation."""
    conversation = await pool.obtain(LAUNCH, want.set_up.caller, wanted=want)
    conversation.held.serve(want.set_up)
    conversation.held.open(want.opening, want.opening)
    return conversation


def answer(conversation: Conversation) -> None:
    """The first turn was asked and answered."""
    conversation.held.begin((b"1",))
    conversation.held.add("uuid")
    conversation.held.confirm((b"1", b"12"), parked=False)
    conversation.begin_to_settle(())


class Requests:
    """Requests that wait for a process, and what they got."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.got: dict[str, Conversation] = {}
        self.scopes: dict[str, anyio.CancelScope] = {}

    async def ask(self, name: str, want: Wanted) -> None:
        with anyio.CancelScope() as self.scopes[name]:
            self.got[name] = await self._pool.obtain(LAUNCH, want.set_up.caller, wanted=want)


@asynccontextmanager
async def waiting(
    *wants: tuple[str, Wanted], **config: Any
) -> AsyncGenerator[tuple[Pool, Conversation, Requests]]:
    """A pool whose only process is at work, and requests that wait for it."""
    LAUNCH.started.clear()
    pool = a_pool(**{"max_processes": 1, "max_spares": 0, **config})
    async with pool.running():
        conversation = await obtained(pool, wanted())
        requests = Requests(pool)
        async with anyio.create_task_group() as tasks:
            for name, want in wants:
                tasks.start_soon(requests.ask, name, want)
                await quiet()
            yield pool, conversation, requests
            tasks.cancel_scope.cancel()
        for got in requests.got.values():
            pool.retire(got)


async def test_it_goes_to_one_that_waits() -> None:
    async with waiting(("first", wanted()), ("second", wanted())) as (pool, process, requests):
        answer(process)
        pool.keep(process, KEY)
        await quiet()
        assert requests.got == {"first": process}
        assert len(LAUNCH.started) == 1
        assert pool.report()["taken"]["reused"] == 1
        answer(process)
        pool.keep(process, KEY)
        await quiet()
        assert requests.got["second"] is process
        assert pool.slots.used == 1


@pytest.mark.parametrize("other", [wanted("b"), wanted(digest=b"2")], ids=["caller", "set-up"])
async def test_one_of_another_set_up_gets_its_slot(other: Wanted) -> None:
    async with waiting(("other", other)) as (pool, process, requests):
        answer(process)
        pool.keep(process, KEY)
        await quiet()
        assert process_of(process).closed
        assert requests.got["other"] is not process


async def used_and_taken_again(pool: Pool) -> Conversation:
    """The process of a conversation that was answered at once, and is asked anew."""
    process = await obtained(pool, wanted())
    pool.begin(process)
    answer(process)
    pool.keep(process, KEY)
    await quiet()
    again = await pool.take_live(KEY)
    assert again is process
    pool.begin(again)
    return process


@pytest.mark.parametrize("spares", [0, 1])
async def test_one_that_is_soon_back_is_waited_for(spares: int) -> None:
    LAUNCH.started.clear()
    pool = a_pool(max_processes=4, max_spares=spares, min_spares=spares)
    async with pool.running():
        process = await used_and_taken_again(pool)
        pool.starts.seconds = 60
        started = len(LAUNCH.started)
        requests = Requests(pool)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(requests.ask, "next", wanted())
            await quiet()
            assert requests.got == {}
            answer(process)
            pool.keep(process, KEY)
        assert requests.got == {"next": process}
        assert len(LAUNCH.started) == started
        assert pool.counts["waiting"] == 0


async def test_one_that_is_about_to_be_cleared_is_waited_for() -> None:
    pool = a_pool(max_processes=1, max_spares=0)
    found: list[bool] = []
    async with pool.running():
        process = await obtained(pool, wanted())
        answer(process)
        await process.settle()

        async def ask() -> None:
            found.append(await process.reusable())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await checkpoint()
            process.begin_to_clear()
            await process.clear()
        pool.retire(process)
    assert found == [True]


async def test_a_fault_while_it_is_recovered_costs_no_slot() -> None:
    pool = a_pool(max_processes=1, max_spares=0)
    async with pool.running():
        process = await obtained(pool, wanted())
        answer(process)
        process_of(process).fault = RuntimeError("two readers")
        process_of(process).swallows = True
        pool.recover(process)
        await quiet()
        assert pool.slots.used == 0


async def test_one_that_is_closed_is_not_recovered() -> None:
    pool = a_pool(max_processes=1, max_spares=0)
    async with pool.running():
        process = await obtained(pool, wanted())
        answer(process)
        pool.recover(process)
        pool.retire(process)
        await quiet()
    assert process_of(process).answers == [], "it was told to cut its conversation"


async def test_nobody_is_served_before_those_that_wait() -> None:
    async with waiting(("first", wanted())) as (pool, process, requests):
        process_of(process).settled = anyio.Event()  # it has answered, and is not at rest yet
        answer(process)
        pool.keep(process, KEY)
        await quiet()
        assert await pool.take_idle(wanted()) is None
        process_of(process).settled.set()
        await quiet()
        assert requests.got == {"first": process}


async def test_one_that_does_not_come_back_is_not() -> None:
    pool = a_pool(max_processes=4, max_spares=0)
    async with pool.running():
        process = await used_and_taken_again(pool)
        pool.starts.seconds = 0.01
        other = await pool.obtain(LAUNCH, "a", wanted=wanted())
        assert other is not process
        for each in (process, other):
            pool.retire(each)


async def test_callers_take_turns() -> None:
    waits = (("b", wanted("b")), ("a", wanted()), ("b again", wanted("b")))
    async with waiting(*waits) as (pool, process, requests):
        for conversation in (process, None):
            kept = conversation or requests.got["b"]
            if conversation is None:
                kept.held.serve(wanted("b").set_up)
                kept.held.open(b"tools", b"tools")
            answer(kept)
            pool.keep(kept, KEY)
            await quiet()
        assert [name for name in ("b", "a", "b again") if name in requests.got] == ["b", "a"]


async def test_one_that_was_given_up_at_that_moment_leaves_it_to_others() -> None:
    async with waiting(("first", wanted())) as (pool, process, requests):
        answer(process)
        pool.keep(process, KEY)
        requests.scopes["first"].cancel()
        await quiet()
        assert requests.got == {}
        assert pool.counts == {"busy": 0, "live": 1, "spare": 0, "aside": 0, "waiting": 0}
        assert await pool.take_idle(wanted(), urgent=True) is process
        pool.retire(process)


async def test_a_long_conversation_is_not_cut_for_it() -> None:
    async with waiting(("first", wanted())) as (pool, process, requests):
        process.held.begin(())
        for number in range(20):
            process.held.add(f"uuid-{number}")
        process.begin_to_settle(())
        pool.keep(process, KEY)
        await quiet()
        assert requests.got["first"] is not process


@pytest.mark.parametrize("rewinds", [True, False])
async def test_an_interrupted_turn_is_cut_off_or_the_process_ends(rewinds: bool) -> None:
    LAUNCH.started.clear()
    pool = a_pool(max_spares=0)
    async with pool.running():
        process = await obtained(pool, wanted())
        await process.set_up("", None, {})
        process_of(process).rewinds = rewinds
        process.held.begin((b"1",))
        process.held.add("uuid")
        pool.recover(process)
        await quiet()
        assert process_of(process).closed is not rewinds
        assert (await pool.take_idle(wanted()) is process) is rewinds
        assert len(process.held) == (0 if rewinds else 1)
        pool.retire(process)


async def test_a_process_for_one_conversation_ends_with_an_interrupted_turn() -> None:
    LAUNCH.started.clear()
    pool = a_pool(max_spares=0)
    async with pool.running():
        process = await pool.obtain(LAUNCH, "a")
        pool.recover(process)
        await quiet()
        assert process_of(process).closed


async def test_a_worn_process_ends() -> None:
    LAUNCH.started.clear()
    pool = a_pool(max_spares=0)
    async with pool.running():
        process = await obtained(pool, wanted())
        for number in range(MOST_CONVERSATIONS):
            process.held.cut(0)
            process.held.begin(())
            process.held.add(f"uuid-{number}")
        process.begin_to_settle(())
        pool.keep(process, KEY)
        await quiet()
        assert process_of(process).closed


async def test_with_reuse_off_every_process_ends() -> None:
    LAUNCH.started.clear()
    pool = a_pool(max_spares=0, reuse="off")
    async with pool.running():
        process = await pool.obtain(LAUNCH, "a")
        process.begin_to_settle(())
        pool.keep(process, KEY)
        await quiet()
        assert process_of(process).closed


async def test_a_caller_who_is_gone_leaves_no_process() -> None:
    LAUNCH.started.clear()
    pool = a_pool(max_spares=0)
    async with pool.running():
        idle, busy, others = [await obtained(pool, wanted(name)) for name in ("a", "a", "b")]
        for process in (idle, others):
            answer(process)
            pool.keep(process, None)
        await quiet()
        pool.forget("a")
        await quiet()
        assert [process_of(each).closed for each in (idle, busy, others)] == [True, False, False]
        answer(busy)
        pool.keep(busy, KEY)
        await quiet()
        assert process_of(busy).closed
        assert await pool.take_idle(wanted("a"), urgent=True) is None
        assert await pool.take_idle(wanted("b"), urgent=True) is others
        pool.retire(others)


async def test_nobody_overtakes_another_caller_who_waits() -> None:
    async with waiting(("b", wanted("b"))) as (pool, process, requests):
        answer(process)
        pool.keep(process, KEY)
        assert await pool.take_idle(wanted(), urgent=True) is None
        await quiet()
        assert process_of(process).closed
        assert requests.got["b"] is not process


async def test_one_that_is_taken_as_it_is_about_to_be_cleared_is_waited_for() -> None:
    LAUNCH.started.clear()
    pool = a_pool(max_spares=4, max_processes=8, min_spares=0)
    async with pool.running():
        processes = [await obtained(pool, wanted()) for _ in range(4)]
        for process in processes:
            answer(process)
            pool.keep(process, None)
        await quiet()
        for _ in range(ENOUGH):
            pool.set_ups.note(wanted(), lambda: cast(Recipe, object()))
        process_of(processes[0]).answering = anyio.Event()  # does not answer for now
        pool._ready.cut_short_ones()
        assert processes[0].empty
        taken: list[Conversation | None] = []

        async def take() -> None:
            taken.append(await pool.take_idle(replace(wanted(), prefixes=(b"x",))))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take)
            await quiet()
            assert taken == []
            process_of(processes[0]).answering.set()
        assert taken == [processes[0]]
        assert len(processes[0].held) == 0
        pool.retire(processes[0])
