"""What the answers to one call may be ahead of its client: in order, bounded, and to the end."""

import anyio
import pytest

from gateway.errors import BackendFailed, GatewayError, Overloaded
from gateway.frontend.response.event_buffer import (
    EVENT_BYTES,
    SURE_BYTES,
    EventBuffer,
    HeldBytes,
    size_of,
)
from gateway.types import PartDelta, PartEnd, PartStart, StreamEvent, Text


def delta(text: str = "x") -> StreamEvent:
    return PartDelta(index=0, text=text)


async def test_events_come_out_as_they_went_in() -> None:
    buffer = EventBuffer(10_000)
    for choice in (0, 1, 0):
        await buffer.put((choice, delta(str(choice))))
    buffer.end()
    got = [await buffer.get() for _ in range(3)]
    assert got == [(0, delta("0")), (1, delta("1")), (0, delta("0"))]
    with pytest.raises(StopAsyncIteration):
        await buffer.get()


async def test_when_it_is_full_answers_wait_until_something_is_read() -> None:
    buffer = EventBuffer(2 * size_of(delta()))
    put: list[int] = []

    async def write(choice: int) -> None:
        await buffer.put((choice, delta()))
        put.append(choice)

    async with anyio.create_task_group() as tasks:
        for choice in range(4):
            tasks.start_soon(write, choice)
        await anyio.wait_all_tasks_blocked()
        assert put == [0, 1]
        await buffer.get()
        await anyio.wait_all_tasks_blocked()
        assert put == [0, 1, 2]
        await buffer.get()
        await anyio.wait_all_tasks_blocked()
        assert put == [0, 1, 2, 3]


async def test_an_event_that_is_larger_than_all_goes_alone() -> None:
    buffer = EventBuffer(10)
    await buffer.put((0, delta("long" * 100)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(buffer.put, (0, delta()))
        await anyio.wait_all_tasks_blocked()
        assert (await buffer.get())[1] == delta("long" * 100)
        await anyio.wait_all_tasks_blocked()
        assert (await buffer.get())[1] == delta()


async def test_a_reader_waits_for_what_comes() -> None:
    buffer = EventBuffer(1000)
    got: list[object] = []

    async def read() -> None:
        got.append(await buffer.get())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        assert got == []
        await buffer.put((1, delta()))
    assert got == [(1, delta())]


async def test_a_failure_comes_after_what_is_there_and_the_first_one_counts() -> None:
    buffer = EventBuffer(1000)
    await buffer.put((0, delta()))
    buffer.fail(Overloaded("the first"))
    buffer.fail(BackendFailed("the second"))
    assert await buffer.get() == (0, delta())
    for _ in range(2):
        with pytest.raises(GatewayError, match="the first"):
            await buffer.get()


@pytest.mark.parametrize(
    ("event", "least"),
    [
        (PartStart(index=0, part=Text(text="")), EVENT_BYTES),
        (delta("a" * 1000), EVENT_BYTES + 1000),
        (delta("ö" * 1000), EVENT_BYTES + 1000),
        (delta("\N{SNOWMAN}" * 1000), EVENT_BYTES + 2000),
        (PartEnd(index=0), EVENT_BYTES),
        (PartEnd(index=0, signature="s" * 1000), EVENT_BYTES + 1000),
    ],
)
def test_sizes_are_those_in_memory(event: StreamEvent, least: int) -> None:
    assert least <= size_of(event) <= least + 100


async def test_buffers_that_are_full_together_have_a_little_room_each() -> None:
    half = "x" * (SURE_BYTES // 2)
    shared = HeldBytes(most=3 * SURE_BYTES)
    one, other = EventBuffer(shared=shared), EventBuffer(shared=shared)
    for _ in range(5):
        await one.put((0, delta(half)))
    async with anyio.create_task_group() as tasks:
        await other.put((0, delta(half)))
        tasks.start_soon(other.put, (0, delta(half)))
        await anyio.wait_all_tasks_blocked()
        assert shared.now == 6 * size_of(delta(half))
        await other.get()
        await anyio.wait_all_tasks_blocked()
        assert shared.now == 6 * size_of(delta(half))
    one.close()
    other.close()
    assert shared.now == 0
