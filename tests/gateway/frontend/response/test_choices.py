"""Several answers to one call: they share what there is, and none waits for another."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

import anyio
import pytest

from gateway.context import AnswerGroup, RequestContext
from gateway.errors import Overloaded
from gateway.frontend.response import choices
from gateway.frontend.response.choices import Choices, open_choices
from gateway.frontend.response.event_buffer import EventBuffer
from gateway.pipeline.watchdog import StreamLimits
from gateway.pipeline.watched_answer import WatchedAnswer
from gateway.testing import text_answer
from gateway.types import PartDelta, ResponseStart, StreamEvent

Answering: TypeAlias = tuple[Callable[[int], Awaitable[WatchedAnswer]], list[RequestContext]]


def contexts(count: int) -> list[RequestContext]:
    group = AnswerGroup()
    return [RequestContext(request_id=f"req-{index}", group=group) for index in range(count)]


class Desk:
    """A backend with so many processes. Each answer has one from its first event to its close.

    `held` has what answers wait for after their first event, `closed` those that are over.
    """

    def __init__(self, processes: int, held: dict[int, anyio.Event] | None = None) -> None:
        self.contexts: list[RequestContext] = []
        self.opened: list[int] = []
        self.closed: list[int] = []
        self.at_once = 0
        self._held = held or {}
        self._free = anyio.CapacityLimiter(processes)

    def answering(self, count: int) -> Answering:
        """The first two arguments of `open_choices`."""
        self.contexts = contexts(count)
        return self._open, self.contexts

    async def _open(self, index: int) -> WatchedAnswer:
        self.opened.append(index)
        ctx = self.contexts[index]
        return WatchedAnswer(self.events(index), ctx, (), StreamLimits())

    async def events(self, index: int) -> AsyncGenerator[StreamEvent]:
        await self._process(index)
        try:
            first, *rest = text_answer(f"answer {index}")
            yield first
            if index in self._held:
                await self._held[index].wait()
            for event in rest:
                yield event
        finally:
            self.closed.append(index)
            self._free.release_on_behalf_of(index)

    async def _process(self, index: int) -> None:
        try:
            self._free.acquire_on_behalf_of_nowait(index)
        except anyio.WouldBlock:
            with self.contexts[index].waiting():
                await self._free.acquire_on_behalf_of(index)
        self.contexts[index].mark("ready")
        self.at_once = max(self.at_once, int(self._free.borrowed_tokens))


@asynccontextmanager
async def opening(desk: Desk, count: int) -> AsyncGenerator[Choices]:
    """The answers to one call; what waits for ever is a failure."""
    with anyio.fail_after(30):
        async with open_choices(*desk.answering(count), ()) as opened:
            yield opened


async def texts(opened: Choices, count: int) -> list[str]:
    found = [""] * count
    async for index, event in opened:
        if isinstance(event, PartDelta):
            found[index] += event.text
    return found


@pytest.mark.parametrize("processes", [1, 3, 200])
@pytest.mark.parametrize("count", [2, 7, 128])
async def test_a_call_comes_to_its_end_with_however_few_processes(
    processes: int, count: int
) -> None:
    desk = Desk(processes)
    async with opening(desk, count) as opened:
        assert await opened.start() == "scripted-1"
        assert await texts(opened, count) == [f"answer {index}" for index in range(count)]
    assert desk.at_once <= min(processes, count)
    assert sorted(desk.closed) == list(range(count))


async def test_an_answer_runs_to_its_end_and_gives_its_process_back_while_nobody_reads() -> None:
    desk = Desk(1)
    async with opening(desk, 5) as opened:
        await opened.start()
        await anyio.wait_all_tasks_blocked()
        assert desk.closed == [0, 1, 2, 3, 4]
        assert await texts(opened, 5) == [f"answer {index}" for index in range(5)]


async def test_a_full_buffer_holds_answers_back_until_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choices, "EventBuffer", partial(EventBuffer, 1000))
    desk = Desk(2)
    async with opening(desk, 6) as opened:
        await opened.start()
        await anyio.wait_all_tasks_blocked()
        assert len(desk.closed) < 6
        assert await texts(opened, 6) == [f"answer {index}" for index in range(6)]


async def test_events_of_several_answers_come_as_they_are_there() -> None:
    held = {0: anyio.Event(), 1: anyio.Event()}
    desk = Desk(3, held)
    async with opening(desk, 3) as opened:
        await opened.start()
        seen = [(await anext(opened))[0] for _ in range(8)]
        assert seen == [0, 1] + [2] * 6
        held[1].set()
        assert [(await anext(opened))[0] for _ in range(5)] == [1] * 5
        held[0].set()
        assert [index async for index, _ in opened] == [0] * 5


async def test_one_answer_at_a_time_stands_in_line_and_no_more_are_opened() -> None:
    held = {index: anyio.Event() for index in range(5)}
    desk = Desk(2, held)
    async with opening(desk, 5) as opened:
        await opened.start()
        await anyio.wait_all_tasks_blocked()
        for ended in range(3):
            assert desk.opened == list(range(3 + ended))
            assert [ctx.in_line for ctx in desk.contexts].count(True) == 1
            held[ended].set()
            await anyio.wait_all_tasks_blocked()
        held[3].set()
        held[4].set()
        assert len(await texts(opened, 5)) == 5


async def started(opened: Choices, done: list[str | None]) -> None:
    done.append(await opened.start())


@pytest.mark.parametrize("processes", [1, 2, 3])
async def test_the_start_is_when_all_that_have_a_process_have_begun(processes: int) -> None:
    """So that a failure until then is an ordinary error; and those in line are not waited for."""
    held = {index: anyio.Event() for index in range(3)}
    begins = {index: anyio.Event() for index in range(3)}

    class Slow(Desk):
        async def events(self, index: int) -> AsyncGenerator[StreamEvent]:
            async for event in super().events(index):
                if isinstance(event, ResponseStart):
                    await begins[index].wait()
                yield event

    desk = Slow(processes, held)
    done: list[str | None] = []
    async with opening(desk, 3) as opened, anyio.create_task_group() as tasks:
        tasks.start_soon(started, opened, done)
        for index in range(processes):
            await anyio.wait_all_tasks_blocked()
            assert done == []
            begins[index].set()
        await anyio.wait_all_tasks_blocked()
        assert done == ["scripted-1"]
        tasks.cancel_scope.cancel()


class Failing(Desk):
    """Its answer `index` fails, at once or when `late` is set after its first event."""

    def __init__(self, index: int, late: anyio.Event | None = None) -> None:
        super().__init__(3, {other: anyio.Event() for other in range(3)})
        self._index = index
        self._late = late

    async def events(self, index: int) -> AsyncGenerator[StreamEvent]:
        if index == self._index and self._late is None:
            raise Overloaded("no room")
        async for event in super().events(index):
            yield event
            if index == self._index and self._late is not None:
                await self._late.wait()
                raise Overloaded("no room")


@pytest.mark.parametrize("index", [0, 1, 2])
async def test_a_failure_before_the_start_is_raised_there_and_ends_the_others(index: int) -> None:
    desk = Failing(index)
    async with opening(desk, 3) as opened:
        with pytest.raises(Overloaded, match="no room"):
            await opened.start()
        await anyio.wait_all_tasks_blocked()
        assert sorted(desk.closed) == [other for other in desk.opened if other != index]


@pytest.mark.parametrize("index", [0, 1, 2])
async def test_a_later_failure_comes_after_what_was_said_and_ends_the_others(index: int) -> None:
    late = anyio.Event()
    desk = Failing(index, late)
    async with opening(desk, 3) as opened:
        await opened.start()
        late.set()
        await anyio.wait_all_tasks_blocked()
        assert sorted(desk.closed) == [0, 1, 2]  # also while nobody reads
        assert [(await anext(opened))[0] for _ in range(3)] == [0, 1, 2]
        with pytest.raises(Overloaded, match="no room"):
            await anext(opened)


async def test_when_the_client_leaves_everything_is_given_back() -> None:
    held = {index: anyio.Event() for index in range(128)}
    desk = Desk(6, held)
    async with opening(desk, 128) as opened:
        await opened.start()
        await anyio.wait_all_tasks_blocked()
        assert (len(desk.opened), desk.closed) == (7, [])
    assert sorted(desk.closed) == list(range(6))
    assert desk.contexts[0].group.at_work == set()
    assert not any(ctx.in_line for ctx in desk.contexts)
