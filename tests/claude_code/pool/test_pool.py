"""The pool: no process is lost, none is left over, and idle ones give way to requests."""

import logging
from collections.abc import Callable
from dataclasses import replace

import anyio
import pytest

from gateway.errors import BackendUnavailable, GatewayBusy
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.process.launch import Launch
from tests.claude_code.pool.pool_support import (
    KEY,
    a_launch,
    a_pool,
    keep,
    process_of,
    quiet,
    ticks,
    until,
)

pytestmark = pytest.mark.usefixtures("at_once")

# -- live conversations -------------------------------------------------------------------


async def test_a_kept_conversation_is_taken_once() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
        keep(pool, conversation)
        assert pool.counts == {"busy": 0, "live": 1, "spare": 0, "aside": 0, "waiting": 0}
        assert await pool.take_live(b"other") is None
        assert await pool.take_live(KEY) is conversation
        assert await pool.take_live(KEY) is None
        assert pool.counts["busy"] == 1
        pool.retire(conversation)


@pytest.mark.parametrize("none", [{"max_live": 0}, {"keep_alive": 0}])
async def test_where_none_is_kept_the_process_is_closed(none: dict[str, int]) -> None:
    launch, pool = a_launch(), a_pool(max_spares=0, **none)
    async with pool.running():
        keep(pool, await pool.obtain(launch, "a"))
        await quiet()
        assert launch.open == []
        assert pool.slots.used == 0


async def test_no_more_than_max_live_are_kept() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0, max_processes=5, max_live=2)
    async with pool.running():
        for number in range(5):
            keep(pool, await pool.obtain(launch, "a"), bytes([number]))
        await quiet()
        assert [process.closed for process in launch.started] == [True] * 3 + [False] * 2
        assert pool.slots.used == pool.counts["live"] == 2


async def test_a_conversation_that_waited_long_enough_is_closed() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0, keep_alive=0.02)
    async with pool.running():
        keep(pool, await pool.obtain(launch, "a"))
        await until(lambda: not launch.open)
        assert pool.counts == {"busy": 0, "live": 0, "spare": 0, "aside": 0, "waiting": 0}


@pytest.mark.parametrize("fault", [None, RuntimeError("a defect")])
async def test_one_that_died_or_went_wrong_is_not_given_out(fault: Exception | None) -> None:
    launch, pool = a_launch(), a_pool(max_spares=0)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
        if fault is None:
            process_of(conversation).die()
        process_of(conversation).fault = fault
        keep(pool, conversation)
        assert await pool.take_live(KEY) is None
        await quiet()
        assert launch.open == []
        assert pool.slots.used == 0


async def test_a_request_that_is_given_up_while_the_conversation_settles_closes_it() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
        process_of(conversation).settled = anyio.Event()
        keep(pool, conversation)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pool.take_live, KEY)
            await quiet()
            tasks.cancel_scope.cancel()
        process_of(conversation).settled.set()
        await quiet()
        assert launch.open == []
        assert pool.slots.used == 0


# -- giving way ---------------------------------------------------------------------------


async def until_obtained(pool: Pool, launch: Launch, before: Callable[[], object]) -> None:
    """A request has to wait for a process; it gets one after `before`."""
    async with anyio.create_task_group() as tasks:
        obtained: list[Conversation] = []

        async def ask() -> None:
            obtained.append(await pool.obtain(launch, "b"))

        tasks.start_soon(ask)
        await quiet()
        before()
        await quiet()
        assert len(obtained) == 1
        assert pool.slots.used <= pool.slots.most
        pool.retire(obtained[0])


async def test_a_spare_gives_way_to_a_request() -> None:
    launch, pool = a_launch(), a_pool(max_processes=1)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        await until_obtained(pool, replace(launch, model="haiku"), lambda: None)
        assert launch.started[0].closed


async def test_the_oldest_live_conversation_gives_way_to_a_request() -> None:
    launch, pool = a_launch(), a_pool(max_processes=2, max_spares=0)
    async with pool.running():
        keep(pool, await pool.obtain(launch, "a"), b"1")
        keep(pool, await pool.obtain(launch, "a"), b"2")
        await until_obtained(pool, launch, lambda: None)
        assert [process.closed for process in launch.started[:2]] == [True, False]


async def test_a_conversation_that_ends_its_turn_gives_way_to_who_waits() -> None:
    launch, pool = a_launch(), a_pool(max_processes=1, max_spares=0)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
        await until_obtained(pool, launch, lambda: keep(pool, conversation))


async def test_a_spare_that_was_being_started_gives_way_to_who_waits() -> None:
    gate = anyio.Event()
    launch, pool = a_launch(before=gate.wait), a_pool(max_processes=1, min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        await until_obtained(pool, a_launch(model="haiku"), gate.set)


async def test_a_spare_that_was_being_started_serves_who_waits_for_its_kind() -> None:
    gate = anyio.Event()
    launch, pool = a_launch(before=gate.wait), a_pool(max_processes=1, min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        await until_obtained(pool, launch, gate.set)


async def test_idle_processes_give_way_even_without_a_line() -> None:
    launch, pool = a_launch(), a_pool(max_processes=1, max_spares=0, max_queue=0)
    async with pool.running():
        keep(pool, await pool.obtain(launch, "a"))
        await until_obtained(pool, launch, lambda: None)


async def test_where_all_are_at_work_the_surplus_is_refused() -> None:
    launch, pool = a_launch(), a_pool(max_processes=1, max_spares=0, max_queue=0)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
        with pytest.raises(GatewayBusy):
            await pool.obtain(launch, "a")
        pool.retire(conversation)


# -- the end ------------------------------------------------------------------------------


async def test_at_the_end_every_process_is_closed() -> None:
    launch, pool = a_launch(), a_pool(max_processes=5, min_spares=2)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        keep(pool, await pool.obtain(launch, "a"), b"1")
        conversation = await pool.obtain(launch, "a")
        process_of(conversation).settled = anyio.Event()
        keep(pool, conversation, b"2")
        process_of(conversation).settled.set()
        pool.retire(await pool.obtain(launch, "a"))
        await quiet()
        assert len(launch.open) >= 3
    assert launch.open == []
    assert pool.counts == {"busy": 0, "live": 0, "spare": 0, "aside": 0, "waiting": 0}


async def test_an_error_while_it_runs_closes_every_process_too() -> None:
    launch, pool = a_launch(), a_pool(min_spares=2)
    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012
        async with pool.running():
            pool.expect(launch)
            await quiet()
            keep(pool, await pool.obtain(launch, "a"))
            raise ValueError("a defect")
    assert caught.group_contains(ValueError, match="a defect")
    assert len(launch.started) >= 2
    assert launch.open == []
    assert pool.slots.used == 0


async def test_a_spare_whose_start_succeeds_at_the_end_is_closed() -> None:
    gate = anyio.Event()
    launch, pool = a_launch(before=gate.wait), a_pool(min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        gate.set()
    assert launch.open == []
    assert pool.slots.used == 0


@pytest.mark.parametrize("number", range(12))
async def test_the_end_may_come_at_any_moment(number: int) -> None:
    launch, pool = a_launch(before=lambda: ticks(3)), a_pool(min_spares=2)
    async with pool.running():
        pool.expect(launch)
        await ticks(number)
    assert launch.open == []
    assert pool.slots.used == 0


async def test_at_the_end_those_at_work_are_closed_too() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
    assert launch.open == []
    assert pool.slots.used == 0
    pool.retire(conversation)
    keep(pool, conversation)
    assert pool.counts == {"busy": 0, "live": 0, "spare": 0, "aside": 0, "waiting": 0}


async def test_a_process_whose_start_outlasts_the_pool_is_closed() -> None:
    gate = anyio.Event()
    launch, pool = a_launch(before=gate.wait), a_pool(max_spares=0)
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            with pytest.raises(BackendUnavailable, match="is ending"):
                await pool.obtain(launch, "a")

        async with pool.running():
            tasks.start_soon(ask)
            await quiet()
        gate.set()
    assert len(launch.started) == 1
    assert launch.open == []
    assert pool.slots.used == 0


# -- beside requests ----------------------------------------------------------------------


async def test_a_process_for_a_question_of_the_gateways_own_has_a_slot() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0, max_processes=1, max_queue=0)
    async with pool.running():
        async with pool.aside(launch):
            assert pool.slots.used == 1
            with pytest.raises(GatewayBusy):
                async with pool.aside(launch):
                    pass
        assert pool.slots.used == 0
    assert launch.open == []


async def test_a_process_aside_that_can_not_be_started_gives_its_slot_back() -> None:
    async def fails() -> None:
        raise BackendUnavailable("no CLI")

    pool = a_pool(max_spares=0)
    async with pool.running():
        with pytest.raises(BackendUnavailable):
            async with pool.aside(a_launch(before=fails)):
                pass
        assert pool.slots.used == 0


# -- care ---------------------------------------------------------------------------------


async def test_the_last_words_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "gateway_claude_code")
    launch, pool = a_launch(), a_pool(max_spares=0)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
        process_of(conversation).last_stderr = "one\ntwo"
        pool.retire(conversation)
    assert caplog.messages == ["the CLI said: one\ntwo"]


async def test_a_fault_in_closing_one_gives_its_slot_back_and_harms_no_other(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails() -> None:
        raise RuntimeError("a defect")

    launch, pool = a_launch(), a_pool(max_spares=0)
    async with pool.running():
        bad, good = await pool.obtain(launch, "a"), await pool.obtain(launch, "a")
        monkeypatch.setattr(bad, "close", fails)
        pool.retire(bad)
        pool.retire(good)
        await quiet()
        assert process_of(good).closed
        assert pool.slots.used == 0
    assert caplog.messages == ["maintaining a process failed"]
