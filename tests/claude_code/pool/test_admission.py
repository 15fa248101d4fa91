"""Who gets the next process: slots, the line before them, and its limits."""

import random

import anyio
import anyio.lowlevel
import pytest

from gateway.context import AnswerGroup, RequestContext
from gateway.errors import GatewayBusy
from gateway_claude_code.pool.admission import Slots, default_processes
from tests.clock import RunningClock, turned


def slots(most: int = 1, *, queue: int = 100, seconds: float = 5) -> Slots:
    return Slots(most, queue, seconds, make_room=lambda: False)


def test_the_machine_decides_how_many_processes_there_are() -> None:
    assert default_processes() >= 4


def test_slots_are_taken_and_given_back() -> None:
    two = slots(2)
    assert two.try_acquire()
    assert two.try_acquire()
    assert not two.try_acquire()
    two.release()
    assert two.try_acquire()


async def test_callers_take_turns() -> None:
    one = slots()
    await one.acquire("first")
    served: list[str] = []

    async def ask(caller: str) -> None:
        await one.acquire(caller)
        served.append(caller)

    async with anyio.create_task_group() as tasks:
        for caller in ["greedy"] * 5 + ["modest"]:
            tasks.start_soon(ask, caller)
            await anyio.wait_all_tasks_blocked()
        assert one.waiting == 6
        for _ in range(6):
            one.release()
            await anyio.wait_all_tasks_blocked()
    assert served[:2] == ["greedy", "modest"]
    assert served[2:] == ["greedy"] * 4
    assert (one.used, one.waiting) == (1, 0)


async def test_newcomers_do_not_pass_those_in_line() -> None:
    one = slots()
    await one.acquire("a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.acquire, "b")
        await anyio.wait_all_tasks_blocked()
        one.release()
        assert not one.try_acquire()
    assert one.used == 1


async def test_the_line_has_an_end() -> None:
    one = slots(queue=0)
    await one.acquire("a")
    with pytest.raises(GatewayBusy, match="too many requests are already waiting") as caught:
        await one.acquire("a")
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 0
    assert one.waiting == 0


async def test_nobody_waits_for_ever(clock: RunningClock) -> None:
    one = slots(seconds=60)
    await one.acquire("a")
    with pytest.raises(GatewayBusy, match="none became free within 60 s"):
        async with turned(clock, 60):
            await one.acquire("a")
    assert (one.used, one.waiting) == (1, 0)
    one.release()
    assert one.used == 0


async def test_who_waits_makes_those_give_way_that_can() -> None:
    asked: list[str] = []

    def make_room() -> bool:
        asked.append("room")
        return False

    one = Slots(1, 10, 5, make_room)
    await one.acquire("a")
    assert asked == []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.acquire, "b")
        await anyio.wait_all_tasks_blocked()
        assert asked == ["room"]
        one.release()


async def test_who_gives_up_leaves_the_line() -> None:
    one = slots()
    await one.acquire("a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.acquire, "a")
        tasks.start_soon(one.acquire, "a")
        tasks.start_soon(one.acquire, "b")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert (one.used, one.waiting) == (1, 0)
    one.release()
    assert one.try_acquire()


async def test_who_is_admitted_after_giving_up_gives_the_slot_back() -> None:
    one = slots()
    await one.acquire("a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.acquire, "b")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
        one.release()  # admits b, which does not know yet that it was cancelled
    assert (one.used, one.waiting) == (0, 0)


async def test_many_requests_of_one_caller_do_not_hold_up_another() -> None:
    two = slots(2)
    served: list[str] = []

    async def ask(caller: str) -> None:
        await two.acquire(caller)
        served.append(caller)

    async with anyio.create_task_group() as tasks:
        for _ in range(52):
            tasks.start_soon(ask, "greedy")
        await anyio.wait_all_tasks_blocked()
        assert two.waiting == 50
        for caller in ["b", "c", "b", "c"]:
            tasks.start_soon(ask, caller)
        await anyio.wait_all_tasks_blocked()
        for _ in range(54):
            two.release()
            await anyio.wait_all_tasks_blocked()
    assert served[2:8] == ["greedy", "b", "c", "greedy", "b", "c"]
    assert served[8:] == ["greedy"] * 48
    assert (two.used, two.waiting) == (2, 0)


async def test_one_callers_requests_are_served_in_their_order() -> None:
    one = slots()
    await one.acquire("a")
    served: list[int] = []

    async def ask(number: int) -> None:
        await one.acquire("a")
        served.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(ask, number)
            await anyio.wait_all_tasks_blocked()
        for _ in range(10):
            one.release()
            await anyio.wait_all_tasks_blocked()
    assert served == list(range(10))


# -- calls for several answers --------------------------------------------------------------


def answers(count: int) -> list[RequestContext]:
    """The contexts of so many answers to one call."""
    group = AnswerGroup()
    return [RequestContext(request_id=f"{id(group)}-{n}", group=group) for n in range(count)]


async def test_a_later_request_is_served_between_the_answers_of_one_call() -> None:
    one = slots()
    await one.acquire("me")
    served: list[str] = []

    async def ask(name: str, ctx: RequestContext) -> None:
        await one.acquire("me", ctx)
        served.append(name)

    async with anyio.create_task_group() as tasks:
        for ctx in answers(4):
            tasks.start_soon(ask, "many", ctx)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(ask, "plain", *answers(1))
        await anyio.wait_all_tasks_blocked()
        for _ in range(5):
            one.release()
            await anyio.wait_all_tasks_blocked()
    assert served == ["many", "plain", "many", "many", "many"]


async def test_a_call_has_one_place_in_line_for_all_its_answers() -> None:
    one = slots(queue=2)
    await one.acquire("a")
    async with anyio.create_task_group() as tasks:
        for ctx in answers(128):
            tasks.start_soon(one.acquire, "a", ctx)
        await anyio.wait_all_tasks_blocked()
        assert one.waiting == 1
        tasks.start_soon(one.acquire, "b")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(GatewayBusy, match="too many requests are already waiting"):
            await one.acquire("c")
        tasks.cancel_scope.cancel()
    assert (one.used, one.waiting) == (1, 0)


async def test_a_call_that_has_begun_is_not_refused_for_a_full_line() -> None:
    two = slots(2, queue=0)
    first, second, third = answers(3)
    await two.acquire("a", first)
    await two.acquire("a", second)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(two.acquire, "a", third)
        await anyio.wait_all_tasks_blocked()
        assert (third.in_line, two.waiting) == (True, 1)
        two.release()
    assert not third.in_line


NOW = 0.01


async def test_while_some_of_its_answers_are_at_work_a_call_is_not_out_of_patience() -> None:
    one = slots(seconds=NOW)
    first, second = answers(2)
    await one.acquire("a", first)
    other = RequestContext(request_id="other")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.acquire, "a", second)
        for _ in range(3):  # each of these waits out the same time
            with pytest.raises(GatewayBusy):
                await one.acquire("a", other)
        assert second.in_line
        one.release()
    assert first.group.at_work == {first.request_id, second.request_id}


async def test_once_none_of_its_answers_is_at_work_a_call_waits_as_any_other() -> None:
    one = slots(seconds=NOW)
    first, second = answers(2)
    await one.acquire("a", first)
    first.group.rest(first.request_id)  # its process is not given back
    with pytest.raises(GatewayBusy, match=r"none became free within 0\.01 s"):
        await one.acquire("a", second)


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_happens_there_are_never_too_many(seed: int) -> None:
    """Requests that come, are given up at any moment, or time out, against a plain count."""
    chance = random.Random(seed)
    most, longest = chance.randint(1, 4), chance.randint(0, 6)
    some = slots(most, queue=longest, seconds=chance.choice([0.002, 5]))
    holding = refused = 0

    async def one_request(caller: str) -> None:
        nonlocal holding, refused
        try:
            await some.acquire(caller)
        except GatewayBusy:
            refused += 1
            return
        holding += 1
        try:
            assert holding <= some.used <= most
            assert some.waiting <= longest
            for _ in range(chance.randrange(4)):
                await anyio.lowlevel.checkpoint()
        finally:
            holding -= 1
            some.release()

    async def client() -> None:
        for _ in range(60):
            with anyio.CancelScope() as scope:
                if chance.random() < 0.3:
                    tasks.start_soon(cancel_later, scope, chance.randrange(8))
                await one_request(chance.choice("abc"))

    async def cancel_later(scope: anyio.CancelScope, ticks: int) -> None:
        for _ in range(ticks):
            await anyio.lowlevel.checkpoint()
        scope.cancel()

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(client)
    assert (some.used, some.waiting, holding) == (0, 0, 0)
    assert refused < 480
