"""Starts take turns, say what they tell about the CLI, and a request never feeds an overload."""

import shutil
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from gateway.errors import BackendFailed, BackendUnavailable, GatewayBusy, TimedOut
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.process.launch import Launch
from gateway_claude_code.process.start_breaker import FAILURES
from gateway_claude_code.process.starts import Start, Starts
from tests.claude_code.claude_code_support import (
    TARGET,
    Environ,
    FakeCli,
    MakeCli,
    a_request,
    answered,
    backend_for,
    until_failure,
)
from tests.claude_code.pool.pool_support import (
    FakeProcess,
    a_launch,
    a_pool,
    process_of,
    quiet,
    until,
)
from tests.clock import RunningClock, turned

BROKEN = BackendFailed("It exited with code 1.")


@pytest.fixture(autouse=True)
def _two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.refill.REFILL_SECONDS", 0)
    monkeypatch.setattr("gateway_claude_code.pool.pool.starts_at_a_time", lambda: 2)


def starts(most: int = 2, wait_seconds: float = 5) -> Starts:
    return Starts(most, wait_seconds, lambda: None)


async def opened(breaker_of: Starts) -> None:
    for _ in range(FAILURES):
        (await breaker_of.turn()).failed(BROKEN)


# -- turns --------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [Start.ready, lambda start: start.failed(BROKEN), Start.give_up])
async def test_the_next_one_begins_when_one_is_over(end: Callable[[Start], None]) -> None:
    two = starts()
    first, _ = await two.turn(), await two.turn()
    third: list[Start] = []
    async with anyio.create_task_group() as tasks:

        async def begin() -> None:
            third.append(await two.turn())

        tasks.start_soon(begin)
        await quiet()
        assert third == []
        end(first)
        await quiet()
        assert len(third) == 1


async def test_the_first_fate_counts() -> None:
    one = starts(most=1)
    start = await one.turn()
    start.give_up()
    for _ in range(FAILURES):
        start.failed(BROKEN)
    assert start.fate == "given up"
    assert not one.breaker.open
    (await one.turn()).ready()


async def test_a_turn_is_not_waited_for_without_end(clock: RunningClock) -> None:
    one = starts(most=1, wait_seconds=60)
    held = await one.turn()
    with pytest.raises(GatewayBusy, match="within 60 s"):
        async with turned(clock, 60):
            await one.turn()
    held.give_up()
    assert (await one.turn()).fate == "starting"


async def test_one_that_is_given_up_in_line_takes_no_turn() -> None:
    one = starts(most=1)
    held = await one.turn()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.turn)
        await quiet()
        tasks.cancel_scope.cancel()
    held.give_up()
    with anyio.fail_after(1):
        await one.turn()


async def test_those_in_line_are_turned_away_when_the_ones_before_them_failed() -> None:
    one = starts(most=1)
    for _ in range(FAILURES - 1):
        (await one.turn()).failed(BROKEN)
    last = await one.turn()
    async with anyio.create_task_group() as tasks:

        async def begin() -> None:
            with pytest.raises(BackendUnavailable, match="exited with code 1"):
                await one.turn()

        tasks.start_soon(begin)
        await quiet()
        last.failed(BROKEN)
    with pytest.raises(BackendUnavailable):
        await one.turn()


async def test_a_spare_leaves_the_last_turn_to_requests_and_waits_for_none() -> None:
    two = starts()
    spare = two.spare_turn()
    assert spare is not None
    assert two.spare_turn() is None
    request = await two.turn()
    spare.ready()
    assert two.spare_turn() is None
    request.ready()
    assert two.spare_turn() is not None


async def test_where_there_is_one_turn_a_spare_gets_it_too() -> None:
    one = starts(most=1)
    assert one.spare_turn() is not None
    assert one.spare_turn() is None


async def test_no_spare_is_started_while_the_breaker_is_open() -> None:
    two = starts()
    await opened(two)
    assert two.spare_turn() is None


async def test_a_question_of_the_gateways_own_does_not_find_out_if_the_cli_starts_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway_claude_code.process.start_breaker.FIRST_PAUSE", 0)
    two = starts()
    await opened(two)
    with pytest.raises(BackendUnavailable):
        await two.turn(tries=False)
    (await two.turn()).ready()
    assert (await two.turn(tries=False)).fate == "starting"


# -- in the pool --------------------------------------------------------------------------


async def hold_back(pool: Pool, launch: Launch, number: int) -> list[Conversation]:
    """So many processes for requests, of which none gets ready yet."""
    obtained: list[Conversation] = []
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            obtained.append(await pool.obtain(launch, "a"))

        for _ in range(number):
            tasks.start_soon(ask)
        await quiet()
        tasks.cancel_scope.cancel()
    return obtained


async def test_no_more_start_at_a_time_than_there_are_turns() -> None:
    launch, pool = a_launch(), a_pool(max_spares=0, max_processes=10)
    async with pool.running():
        obtained = await hold_back(pool, launch, 6)
        assert len(obtained) == len(launch.started) == 2
        assert pool.slots.used == 2, "those in line gave their slots back"
        for conversation in obtained:
            await conversation.set_up("", None, {})
        assert len(await hold_back(pool, launch, 6)) == 2


async def test_spares_start_one_after_another() -> None:
    silent: list[FakeProcess] = []

    class Silent(list[FakeProcess]):
        def append(self, process: FakeProcess) -> None:
            process.answering = anyio.Event()
            silent.append(process)
            super().append(process)

    launch, pool = a_launch(started=Silent()), a_pool(min_spares=3, max_processes=10)
    async with pool.running():
        pool.expect(launch)
        for number in (1, 2, 3):
            await quiet()
            assert len(silent) == number
            silent[-1].answering.set()
    assert launch.open == []


async def test_a_spare_that_dies_as_it_starts_counts_as_a_failed_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.refill.FAILED_SECONDS", 0.001)
    monkeypatch.setattr("gateway_claude_code.pool.pool.TENDING_SECONDS", 0.001)

    class Stillborn(list[FakeProcess]):
        def append(self, process: FakeProcess) -> None:
            process.die()
            super().append(process)

    launch, pool = a_launch(started=Stillborn()), a_pool(min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await until(lambda: pool.starts.breaker.open)
        await quiet()
        assert pool.counts == {"busy": 0, "live": 0, "spare": 0, "aside": 0, "waiting": 0}
        with pytest.raises(BackendUnavailable, match="failed to start 3 times"):
            await pool.obtain(launch, "a")
    assert len(launch.started) == FAILURES
    assert pool.slots.used == 0


async def test_a_spare_that_is_closed_as_it_starts_says_nothing_about_the_cli() -> None:
    launch, pool = a_launch(), a_pool(min_spares=1, max_processes=1)
    async with pool.running():
        pool.expect(launch)
        for _ in range(FAILURES + 1):
            await quiet()
            pool.retire(await pool.obtain(launch, "a"))
        await quiet()
        assert not pool.starts.breaker.open


async def test_while_the_breaker_is_open_a_ready_spare_serves() -> None:
    launch, pool = a_launch(), a_pool(min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        await opened(pool.starts)
        spare = await pool.obtain(launch, "a")
        assert spare.was_spare
        with pytest.raises(BackendUnavailable):
            await pool.obtain(launch, "a")
        pool.retire(spare)


async def test_a_fresh_one_is_no_spare() -> None:
    launch, pool = a_launch(), a_pool(min_spares=1)
    async with pool.running():
        pool.expect(launch)
        await quiet()
        conversation = await pool.obtain(launch, "a", fresh=True)
        assert not conversation.was_spare
        assert process_of(conversation) is not launch.started[0]
        pool.retire(conversation)


# -- a process that ends while nobody waits for it ----------------------------------------


@pytest.mark.parametrize("state", ["live", "spare"])
async def test_a_dead_process_is_noticed_at_once(state: str) -> None:
    launch = a_launch()
    pool = a_pool(min_spares=1 if state == "spare" else 0, max_spares=1)
    async with pool.running():
        if state == "spare":
            pool.expect(launch)
        else:
            conversation = await pool.obtain(launch, "a", fresh=True)
            conversation.begin_to_settle(())
            pool.keep(conversation, b"key")
        await quiet()
        assert pool.counts[state] == 1
        launch.started[0].die()
        await quiet()
        assert launch.started[0].closed
        assert pool.counts["live"] == 0
        assert pool.counts["busy"] == 0
        assert pool.slots.used == len(launch.open) == (1 if state == "spare" else 0)


# -- patience, with real processes --------------------------------------------------------

SLOW = "time.sleep({seconds})\nset_up(); hear(); begin(); text('Hi'); end(); hold()"
COUNTED = "open({starts!r}, 'a').write('x')\n"


def counting(fake_cli: MakeCli, tmp_path: Path, play: str) -> tuple[FakeCli, Callable[[], int]]:
    starts = tmp_path / "starts"
    starts.touch()
    cli = fake_cli(COUNTED.format(starts=str(starts)) + play)
    return cli, lambda: len(starts.read_text())


async def test_a_spare_that_is_starting_is_waited_for(
    fake_cli: MakeCli, environ: Environ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_claude_code.channel.patience.WARM_SECONDS", 0.1)
    cli, started = counting(fake_cli, tmp_path, SLOW.format(seconds=0.5))
    backend = backend_for(cli, environ, min_spares=1, max_spares=1, start_seconds=20)
    async with backend.running():
        backend.expect(TARGET.name, None)
        await until(lambda: started() == backend.pool.counts["spare"] == 1)
        monkeypatch.setattr("gateway_claude_code.pool.refill.REFILL_SECONDS", 60)
        assert await answered(backend, "one") == "Hi"
        assert backend.report()["taken"] == {"live": 0, "reused": 0, "spare": 1, "cold": 0}
        assert started() == 1


async def test_after_one_spare_comes_a_fresh_process_and_then_the_error(
    fake_cli: MakeCli, environ: Environ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_claude_code.channel.patience.WARM_SECONDS", 0.1)
    cli, started = counting(fake_cli, tmp_path, "hear(); hold()")  # answers as a spare, never again
    backend = backend_for(
        cli, environ, min_spares=1, max_spares=1, start_seconds=0.5, close_seconds=0.2
    )
    async with backend.running():
        backend.expect(TARGET.name, None)
        await until(lambda: backend.pool.counts["spare"] == 1)
        await until(lambda: backend.pool.starts.breaker.may_try and started() == 1)
        with pytest.raises(TimedOut, match=r"within 0\.5 s"):
            await answered(backend, "one")
        taken = backend.report()["taken"]
    assert taken == {"live": 0, "reused": 0, "spare": 1, "cold": 1}


async def test_a_cli_that_never_starts_gets_every_request_an_error_and_few_processes(
    fake_cli: MakeCli, environ: Environ, tmp_path: Path
) -> None:
    cli, started = counting(fake_cli, tmp_path, "hold()")
    backend = backend_for(
        cli, environ, min_spares=1, max_spares=4, start_seconds=0.3, close_seconds=0.2
    )
    errors: list[Exception] = []
    async with backend.running():
        backend.expect(TARGET.name, None)

        async def ask() -> None:
            try:
                await answered(backend, "one")
            except (TimedOut, BackendUnavailable) as error:
                errors.append(error)

        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(ask)
        assert started() <= FAILURES + 2
    assert len(errors) == 8


async def test_a_program_that_is_gone_counts_as_well(
    fake_cli: MakeCli, environ: Environ, tmp_path: Path
) -> None:
    cli = fake_cli("hold()")
    shutil.copy(cli.path, tmp_path / "kept")
    cli.path.write_text("#!/no/such/interpreter\n")
    backend = backend_for(cli, environ)
    for _ in range(FAILURES):
        await until_failure(backend, a_request(), BackendUnavailable)
    assert backend.report()["status"] == "failing"
