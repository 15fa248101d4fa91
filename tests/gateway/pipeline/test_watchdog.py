"""The time that an answer may take, to its next event and in all."""

import asyncio
import time
from collections.abc import AsyncGenerator

import anyio
import anyio.lowlevel
import pytest

from gateway.context import RequestContext
from gateway.errors import TimedOut
from gateway.pipeline.watchdog import StreamLimits
from gateway.pipeline.watched_answer import WatchedAnswer
from gateway.testing import text_answer
from gateway.types import ResponseStart, StreamEvent
from tests.gateway.core_support import Recorder, context
from tests.gateway.pipeline.pipeline_support import NOW, Source, read, watched


async def test_silence_times_out() -> None:
    recorder = Recorder()
    source = Source([ResponseStart(), anyio.Event()])
    with pytest.raises(TimedOut, match=r"silent for 0 s \(limits\.idle_seconds\)"):
        await read(watched(source, recorder, idle=NOW))
    assert source.cancelled
    assert recorder.outcome.status == "failed"


async def test_the_whole_answer_times_out_before_it_began() -> None:
    ctx = RequestContext(request_id="r", started=time.perf_counter() - 60)
    with pytest.raises(TimedOut, match=r"longer than 60 s \(limits\.request_seconds\)"):
        await read(watched(Source(text_answer("a")), request=60, ctx=ctx))


async def test_the_whole_answer_times_out_while_waiting() -> None:
    with pytest.raises(TimedOut, match=r"longer than 0\.01 s \(limits\.request_seconds\)"):
        await read(watched(Source([anyio.Event()]), request=0.01))


async def test_time_between_reads_does_not_count_as_silence() -> None:
    """The watchdog looks while nobody waits, and later still does its work."""
    async with watched(Source([ResponseStart(), ResponseStart(), anyio.Event()]), idle=NOW) as s:
        await anext(s)
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        await anext(s)
        with pytest.raises(TimedOut):
            await anext(s)


async def test_each_event_starts_the_idle_time_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("gateway.pipeline.watchdog.time.perf_counter", lambda: now)
    ctx = RequestContext(request_id="r", started=now)
    gate = anyio.Event()
    source = Source([ResponseStart(), gate, *text_answer("a")])
    async with watched(source, idle=10, ctx=ctx) as stream:
        await anext(stream)
        now += 8
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anext, stream)
            await anyio.lowlevel.checkpoint()
            now += 8
            stream._watchdog._look()
            assert not source.cancelled
            gate.set()


async def test_a_time_out_leaves_the_task_uncancelled() -> None:
    with pytest.raises(TimedOut):
        await read(watched(Source([anyio.Event()]), idle=NOW))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await anyio.lowlevel.checkpoint()


async def test_a_backend_that_answers_its_cancellation_with_an_event_is_heard() -> None:
    async def stubborn() -> AsyncGenerator[StreamEvent]:
        try:
            await anyio.sleep_forever()
        except asyncio.CancelledError:
            yield ResponseStart()

    stream = WatchedAnswer(stubborn(), context(), (), StreamLimits(idle_seconds=NOW))
    async with stream:
        assert await anext(stream) == ResponseStart()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_cancellation_from_outside_wins_over_the_watchdog() -> None:
    recorder = Recorder()
    async with watched(Source([anyio.Event()]), recorder, idle=NOW) as stream:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anext(stream)
        assert scope.cancelled_caught
    assert recorder.outcome.status == "cancelled"


async def test_waiting_in_line_is_no_silence_of_the_backend() -> None:
    ctx, admitted = context(), anyio.Event()
    reached: list[str] = []

    async def backend() -> AsyncGenerator[StreamEvent]:
        with ctx.waiting():
            await admitted.wait()
        reached.append("its turn")
        await anyio.Event().wait()
        yield ResponseStart()

    async def admit(stream: WatchedAnswer) -> None:
        """After the watchdog has looked three times: each time it sets another timer."""
        for _ in range(3):
            timer = stream._watchdog._timer
            while stream._watchdog._timer is timer:
                await anyio.lowlevel.checkpoint()
        admitted.set()

    limits = StreamLimits(idle_seconds=0.005)
    async with WatchedAnswer(backend(), ctx, (), limits) as stream:
        admitting = asyncio.create_task(admit(stream))
        with pytest.raises(TimedOut, match="idle_seconds"):
            await anext(stream)
        admitting.cancel()
    assert reached == ["its turn"]


async def test_waiting_in_line_counts_for_the_whole_request() -> None:
    ctx = context()

    async def backend() -> AsyncGenerator[StreamEvent]:
        with ctx.waiting():
            await anyio.Event().wait()
        yield ResponseStart()

    async with WatchedAnswer(backend(), ctx, (), StreamLimits(request_seconds=NOW)) as stream:
        with pytest.raises(TimedOut, match="request_seconds"):
            await anext(stream)
    assert not ctx.in_line


async def test_the_watchdog_lets_go_of_its_timer() -> None:
    stream = watched(Source(text_answer("a")))
    await anext(stream)
    timer = stream._watchdog._timer
    assert timer is not None
    await stream.aclose()
    assert timer.cancelled()
