"""A CLI that does not start costs nothing else, and serves at once when it does again."""

import anyio
import pytest

from gateway.context import RequestContext
from gateway.errors import BackendFailed, BackendUnavailable
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.process.start_breaker import FAILURES, FIRST_PAUSE, StartBreaker
from gateway_claude_code.process.starts import Starts
from tests.claude_code.pool.pool_support import FakeLaunch, a_launch, a_pool, keep, quiet, until
from tests.clock import Clock

BROKEN = BackendFailed("It exited with code 1.")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.refill.REFILL_SECONDS", 0)
    monkeypatch.setattr("gateway_claude_code.pool.refill.FAILED_SECONDS", 0.001)
    monkeypatch.setattr("gateway_claude_code.pool.pool.TENDING_SECONDS", 0.001)


async def open_breaker(pool: Pool) -> None:
    for _ in range(FAILURES):
        (await pool.starts.turn()).failed(BROKEN)
    assert pool.starts.breaker.open


# -- of another program -------------------------------------------------------------------


async def test_a_program_that_was_replaced_is_started_at_once() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0)
    async with pool.running():
        pool.retire(await pool.obtain(launch, "a"))
        await open_breaker(pool)
        with pytest.raises(BackendUnavailable):
            await pool.obtain(launch, "a")
        pool.retire(await pool.obtain(a_launch(stamp=(2, 2)), "a"))
        assert not pool.starts.breaker.open


async def test_a_replaced_program_is_noticed_without_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launch, pool = a_launch(), a_pool(min_spares=1)
    updated = a_launch(stamp=(2, 2))
    async with pool.running():
        pool.expect(launch)
        await until(lambda: pool.counts["spare"] > 0)
        await open_breaker(pool)
        monkeypatch.setattr(FakeLaunch, "as_on_disk", lambda _: updated)
        await until(lambda: len(updated.started) == 1)
        assert not pool.starts.breaker.open


async def test_a_program_that_is_away_is_not_held_against_it() -> None:
    launch = a_launch(removed=[True])
    launch.failures.append(BackendUnavailable("the Claude Code CLI can't be started"))
    pool = a_pool(min_spares=1)
    async with pool.running():
        pool.expect(launch)
        for _ in range(10 * FAILURES):
            pool._set_news()
            await anyio.sleep(0.001)
        assert not pool.starts.breaker.open
        launch.failures.clear()
        launch.removed.clear()
        pool.retire(await pool.obtain(launch, "a"))
        await until(lambda: pool.counts["spare"] > 0)


# -- while it is open ---------------------------------------------------------------------


async def test_nothing_makes_room_for_a_process_that_will_not_be_started() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0, max_processes=1)
    async with pool.running():
        keep(pool, await pool.obtain(launch, "a"))
        await quiet()
        await open_breaker(pool)
        with pytest.raises(BackendUnavailable):
            await pool.obtain(launch, "a")
        await quiet()
        assert pool.counts["live"] == len(launch.open) == 1


async def test_when_the_one_that_tries_is_given_up_the_next_one_tries_soon() -> None:
    clock, starts = Clock(0), Starts(2, 5, lambda: None)
    starts.breaker = StartBreaker(clock)
    for _ in range(FAILURES):
        (await starts.turn()).failed(BROKEN)
    pause = FIRST_PAUSE
    for _ in range(3):  # so that the pause is a long one
        clock.now += pause
        (await starts.turn()).failed(BROKEN)
        pause *= 2
    clock.now += pause
    (await starts.turn()).give_up()
    with pytest.raises(BackendUnavailable):
        await starts.turn()
    clock.now += FIRST_PAUSE
    (await starts.turn()).ready()
    assert not starts.breaker.open


async def test_one_that_began_before_says_nothing_about_when_to_try() -> None:
    clock, starts = Clock(0), Starts(5, 5, lambda: None)
    starts.breaker = StartBreaker(clock)
    earlier = await starts.turn()
    for _ in range(FAILURES):
        (await starts.turn()).failed(BROKEN)
    clock.now += FIRST_PAUSE
    (await starts.turn()).failed(BROKEN)
    earlier.give_up()
    clock.now += FIRST_PAUSE
    with pytest.raises(BackendUnavailable):
        await starts.turn()


# -- how it is counted --------------------------------------------------------------------


async def test_who_waits_for_a_turn_to_start_is_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.pool.starts_at_a_time", lambda: 1)
    launch, pool = a_launch(), a_pool(max_spares=0)
    async with pool.running():
        first = await pool.obtain(launch, "a")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pool.obtain, launch, "b", RequestContext(request_id="b"))
            await quiet()
            counts = {"busy": 1, "live": 0, "spare": 0, "aside": 0, "waiting": 1}
            assert pool.counts == counts
            tasks.cancel_scope.cancel()
        assert pool.counts == {**counts, "waiting": 0}
        pool.retire(first)


async def test_a_question_of_the_gateways_own_is_no_answer() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0)
    nothing = {"busy": 0, "live": 0, "spare": 0, "aside": 0, "waiting": 0}
    async with pool.running():
        async with pool.aside(launch):
            assert pool.counts == {**nothing, "aside": 1}
        assert pool.counts == nothing
        async with pool.slots.aside("the look at the CLI"):
            assert pool.counts == {**nothing, "aside": 1}
        assert pool.counts == nothing
