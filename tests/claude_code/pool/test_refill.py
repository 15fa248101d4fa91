"""Spares: started ahead, given out, replaced, and tried again after a failure."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from gateway.errors import BackendUnavailable
from tests.claude_code.pool.pool_support import a_launch, a_pool, keep, process_of, quiet, until

pytestmark = pytest.mark.usefixtures("at_once")


async def test_a_spare_is_started_given_out_and_replaced() -> None:
    launch, pool = a_launch(), a_pool(min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        assert pool.counts == {"busy": 0, "live": 0, "spare": 1, "aside": 0, "waiting": 0}
        conversation = await pool.obtain(launch, "a")
        assert process_of(conversation) is launch.started[0]
        assert conversation.was_spare
        await quiet()
        assert pool.counts == {"busy": 1, "live": 0, "spare": 1, "aside": 0, "waiting": 0}
        pool.retire(conversation)


async def test_without_a_spare_a_process_is_started() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
        assert not conversation.was_spare
        pool.retire(conversation)
        await quiet()
        assert pool.slots.used == 0


async def test_a_spare_that_died_is_not_given_out_and_loses_no_slot() -> None:
    launch, pool = a_launch(), a_pool(min_spares=1, max_spares=1)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        launch.started[0].die()
        conversation = await pool.obtain(launch, "a")
        assert process_of(conversation) is not launch.started[0]
        pool.retire(conversation)
        await quiet()
        assert launch.started[0].closed
        assert pool.slots.used == len(launch.open)
    assert pool.slots.used == 0


async def test_a_program_that_changed_on_disk_replaces_the_spares() -> None:
    launch, pool = a_launch(), a_pool(min_spares=1)
    newer = replace(launch, stamp=(2, 2), started=[])
    async with pool.running():
        pool.expect(launch)
        await quiet()
        pool.retire(await pool.obtain(newer, "a"))
        await quiet()
        assert launch.open == []
        assert pool.counts["spare"] == len(newer.open) >= 1


async def test_too_old_spares_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.pool.TENDING_SECONDS", 0.01)
    launch, pool = a_launch(), a_pool(min_spares=1, spare_seconds=0.02)
    async with pool.running():
        pool.expect(launch)
        await until(lambda: len(launch.started) >= 3)
        assert launch.started[0].closed
        assert pool.slots.used <= 2


async def test_spares_do_not_take_the_last_slots_from_those_in_line() -> None:
    launch, pool = a_launch(), a_pool(max_processes=1)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
        pool.expect(launch)
        await quiet()
        assert len(launch.started) == 1
        pool.retire(conversation)


# -- faults at the start ------------------------------------------------------------------


async def test_a_process_that_cant_be_started_costs_no_slot() -> None:
    async def fails() -> None:
        raise BackendUnavailable("no such program")

    pool = a_pool(max_spares=0)
    async with pool.running():
        for _ in range(5):
            with pytest.raises(BackendUnavailable):
                await pool.obtain(a_launch(before=fails), "a")
        assert pool.slots.used == 0


async def test_a_request_that_is_given_up_while_its_process_starts_costs_no_slot() -> None:
    pool = a_pool(max_spares=0)
    async with pool.running(), anyio.create_task_group() as tasks:
        tasks.start_soon(pool.obtain, a_launch(before=anyio.sleep_forever), "a")
        await quiet()
        assert pool.slots.used == 1
        tasks.cancel_scope.cancel()
    assert pool.slots.used == 0


async def test_a_spare_that_cant_be_started_is_said_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.refill.FAILED_SECONDS", 0.01)
    monkeypatch.setattr("gateway_claude_code.pool.pool.TENDING_SECONDS", 0.01)
    faults = [BackendUnavailable("no such program"), RuntimeError("a defect")]

    async def fails_at_first() -> None:
        if faults:
            raise faults.pop(0)

    launch, pool = a_launch(before=fails_at_first), a_pool(min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await until(lambda: launch.started)
        await quiet()
        assert pool.slots.used == 1
    assert "no spare process could be started: no such program" in caplog.messages
    assert "maintaining a process failed" in caplog.messages


async def test_while_no_spare_can_be_started_the_others_are_tended_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.refill.FAILED_SECONDS", 0.01)

    async def fails() -> None:
        raise BackendUnavailable("no such program")

    launch, pool = a_launch(), a_pool(min_spares=1, keep_alive=0.05)
    async with pool.running():
        conversation = await pool.obtain(launch, "a")
        pool.expect(replace(launch, model="none", before=fails))
        await quiet()
        keep(pool, conversation)
        with anyio.fail_after(1):
            await until(lambda: process_of(conversation).closed)


async def test_the_next_spare_is_not_started_while_a_request_gets_going(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.refill.REFILL_SECONDS", 0.05)
    launch, pool = a_launch(), a_pool(min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        conversation = await pool.obtain(launch, "a")
        await quiet()
        assert pool.counts["spare"] == 0
        await until(lambda: pool.counts["spare"] == 1)
        pool.retire(conversation)


async def test_a_spare_of_a_program_that_was_replaced_on_disk_is_replaced_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.pool.TENDING_SECONDS", 0.01)
    program = tmp_path / "claude"
    program.write_text("one")
    launch, pool = a_launch(program=program).as_on_disk(), a_pool(min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await until(lambda: launch.started)
        program.write_text("another")
        await until(lambda: len(launch.started) == 2)
        await until(lambda: launch.started[0].closed)
        program.unlink()
        await quiet()
        assert launch.open == launch.started[1:]
