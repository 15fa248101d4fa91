"""The pool: no process is lost, none is left over, and idle ones give way to requests."""

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from gateway.context import RequestContext
from gateway.errors import BackendUnavailable, GatewayBusy
from gateway.types import PartDelta
from gateway_claude_code.backend import ClaudeCodeBackend
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.process.launch import Launch
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.protocol import Line
from tests.claude_code.claude_code_support import TARGET, FakeCli, a_request, backend_for, is_gone

KEY = b"key"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.pool.REFILL_SECONDS", 0)
    monkeypatch.setattr("gateway_claude_code.pool.pool.starts_at_a_time", lambda: 100)


class FakeProcess:
    """As much of a CLI process as a pool sees: at the end of a turn, and then waiting."""

    def __init__(self) -> None:
        self.pid = 0
        self.end = anyio.Event()
        self.answers: list[Line] = []
        self.answering = anyio.Event()
        self.answering.set()
        self.closed = False
        self.last_stderr = ""
        self.settled = anyio.Event()
        self.settled.set()
        self.close_ticks = 0
        self.fault: Exception | None = None

    @property
    def alive(self) -> bool:
        return not self.end.is_set()

    def die(self) -> None:
        self.end.set()

    async def ended(self) -> None:
        await self.end.wait()

    async def send(self, *lines: Line) -> None:
        for line in lines:
            said = {"subtype": "success", "request_id": line["request_id"]}
            self.answers.append({"type": "control_response", "response": said})

    async def receive(self, within: float | None = None) -> Line | None:
        await self.answering.wait()
        if self.answers and self.alive:
            return self.answers.pop(0)
        await self.settled.wait()
        if self.fault is not None:
            raise self.fault
        return {"type": "result"} if self.alive else None

    async def exit_code(self) -> int | None:
        return 1

    async def close(self, *, busy: bool) -> None:
        del busy
        with anyio.CancelScope(shield=True):
            await ticks(self.close_ticks)
        self.die()
        self.answering.set()
        self.closed = True


async def started_at_once() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeLaunch(Launch):
    """Starts processes that are none, and remembers them; `before` is what a start waits for.

    Its program is there unless there is something in `removed`, and starts unless it is in `failures`.
    """

    started: list[FakeProcess] = field(compare=False)
    removed: list[bool] = field(default_factory=list, compare=False)
    failures: list[Exception] = field(default_factory=list, compare=False)
    before: Callable[[], Awaitable[None]] = field(default=started_at_once, compare=False)

    @property
    def on_disk(self) -> bool:
        return not self.removed

    async def start(self, close_seconds: float) -> CliProcess:
        assert close_seconds > 0
        await self.before()
        if self.failures:
            raise self.failures[-1]
        process = FakeProcess()
        self.started.append(process)
        return cast(CliProcess, process)

    @property
    def open(self) -> list[FakeProcess]:
        return [process for process in self.started if not process.closed]


def a_launch(**fields: Any) -> FakeLaunch:
    values: dict[str, Any] = {
        "program": Path("/bin/claude"),
        "stamp": (1, 1),
        "model": "opus",
        "one_request": False,
        "arguments": (),
        "environment": (),
        "folder": Path("/"),
        "started": [],
        **fields,
    }
    return FakeLaunch(**values)


def a_pool(**config: Any) -> Pool:
    return Pool(ClaudeCodeConfig(**{"max_processes": 3, "queue_seconds": 5, **config}))


def process_of(conversation: Conversation) -> FakeProcess:
    return cast(FakeProcess, conversation._process)


def keep(pool: Pool, conversation: Conversation, key: bytes = KEY) -> None:
    conversation.begin_to_settle(())
    pool.keep(conversation, key)


async def quiet() -> None:
    """Until every task waits for something."""
    await anyio.wait_all_tasks_blocked()


async def until(condition: Callable[[], object]) -> None:
    """What a process or the clock brings about."""
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await anyio.sleep(0.01)


async def ticks(number: int) -> None:
    for _ in range(number):
        await checkpoint()


# -- spares -------------------------------------------------------------------------------


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
    monkeypatch.setattr("gateway_claude_code.pool.pool.FAILED_SECONDS", 0.01)
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
    assert "caring for a process failed" in caplog.messages


async def test_while_no_spare_can_be_started_the_others_are_tended_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.pool.FAILED_SECONDS", 0.01)

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
    monkeypatch.setattr("gateway_claude_code.pool.pool.REFILL_SECONDS", 0.05)
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
    assert caplog.messages == ["caring for a process failed"]


# -- a long random walk -------------------------------------------------------------------


class Walk:
    """Clients that obtain, continue, fail, go away at any moment, and processes that die."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.started: list[FakeProcess] = []
        self.pool = a_pool(
            max_processes=self.chance.randint(1, 12),
            min_spares=self.chance.randint(0, 2),
            max_spares=self.chance.randint(0, 3),
            max_live=self.chance.randint(0, 3),
            max_queue=self.chance.randint(0, 6),
            keep_alive=self.chance.choice([0.001, 5]),
            queue_seconds=self.chance.choice([0.001, 0.05]),
        )
        self.kinds = [
            a_launch(model=model, stamp=(stamp, 1), started=self.started, before=self.start)
            for stamp in (1, 2)
            for model in ("opus", "haiku")
        ]

    async def start(self) -> None:
        await ticks(self.chance.randrange(4))
        if self.chance.random() < 0.1:
            raise BackendUnavailable("no such program")

    def look(self) -> None:
        """Check what must always hold, and let some processes die."""
        running = [process for process in self.started if not process.closed]
        assert len(running) <= self.pool.slots.used <= self.pool.slots.most
        assert min(self.pool.counts.values()) >= 0
        for process in running:
            if self.chance.random() >= 0.97:
                process.die()

    async def client(self, tasks: TaskGroup) -> None:
        for _ in range(60):
            self.look()
            with anyio.CancelScope() as scope:
                if self.chance.random() < 0.3:
                    tasks.start_soon(self.cancel_later, scope)
                try:
                    await self.one_request()
                except (BackendUnavailable, GatewayBusy):
                    await checkpoint()

    async def cancel_later(self, scope: anyio.CancelScope) -> None:
        await ticks(self.chance.randrange(12))
        scope.cancel()

    async def one_request(self) -> None:
        conversation = await self.pool.take_live(self.key()) or await self.pool.obtain(
            self.chance.choices(self.kinds, [20, 10, 1, 1])[0], self.chance.choice("abc")
        )
        try:
            process_of(conversation).close_ticks = self.chance.randrange(4)
            await ticks(self.chance.randrange(4))
        except BaseException:
            self.pool.retire(conversation)
            raise
        if self.chance.random() < 0.6:
            keep(self.pool, conversation, self.key())
        else:
            self.pool.retire(conversation)

    def key(self) -> bytes:
        return bytes([self.chance.randrange(8)])


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_slots_and_processes_agree(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.pool.FAILED_SECONDS", 0.001)
    walk = Walk(seed)
    pool = walk.pool
    with anyio.fail_after(30):
        async with pool.running():
            pool.expect(walk.kinds[0])
            async with anyio.create_task_group() as tasks:
                for _ in range(6):
                    tasks.start_soon(walk.client, tasks)
            await quiet()
            assert pool.counts["busy"] == pool.counts["waiting"] == 0
            assert pool.slots.used == sum(not process.closed for process in walk.started)
    assert pool.slots.used == 0
    assert walk.started
    assert all(process.closed for process in walk.started)


# -- a real process that dies as it is asked ----------------------------------------------

FIRST_TIME = "first = not os.path.exists({marker!r}); open({marker!r}, 'w')\n"
ANSWER = "begin(); text('Hi'); end(); say(dict(type='result'))\n"


async def answered(backend: ClaudeCodeBackend, *texts: str) -> str:
    context = RequestContext(request_id="r-1")
    answer = backend.answer(a_request(*texts), TARGET, context)
    return "".join([event.text async for event in answer if isinstance(event, PartDelta)])


@pytest.mark.parametrize("fault", ["sys.exit(1)", "hold()"], ids=["dies", "hangs"])
async def test_a_spare_that_fails_as_it_is_asked_is_replaced(
    fake_cli: Callable[[str], FakeCli],
    environ: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    monkeypatch.setattr("gateway_claude_code.conversations.patience.WARM_SECONDS", 0.3)
    play = f"hear()\nif first: {fault}\nsay(applied(hear())); hear()\n{ANSWER}hold()"
    cli = fake_cli(FIRST_TIME.format(marker=str(tmp_path / "marker")) + play)
    backend = backend_for(cli, environ, min_spares=1, max_spares=1)
    async with backend.running():
        backend.expect(TARGET.name, None)
        await until(cli.input_file.exists)
        assert await answered(backend, "one") == "Hi"
    assert backend.pool.slots.used == 0
    assert is_gone(cli.pid)


async def test_a_live_conversation_that_dies_as_it_goes_on_is_begun_anew(
    fake_cli: Callable[[str], FakeCli], environ: dict[str, str], tmp_path: Path
) -> None:
    play = f"""\
set_up()
if first:
    hear()
    {ANSWER.strip()}
    hear()
    say(applied(hear()))
    hear()
    sys.exit(1)
hear()
say(dict(type='result'))
hear(); hear()
begin(); text('Hi again'); end()
hold()
"""
    cli = fake_cli(FIRST_TIME.format(marker=str(tmp_path / "marker")) + play)
    backend = backend_for(cli, environ, max_live=2)
    async with backend.running():
        with anyio.fail_after(10):
            assert await answered(backend, "one") == "Hi"
            first = cli.pid
            assert backend.pool.counts["live"] == 1
            assert await answered(backend, "one", "Hi", "two") == "Hi again"
    assert cli.pid != first
    assert is_gone(cli.pid)
    assert backend.pool.slots.used == 0
