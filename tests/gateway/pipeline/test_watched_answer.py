"""An answer on its way: watched, closed, and its end told exactly once."""

import weakref
from collections.abc import AsyncGenerator

import anyio
import anyio.lowlevel
import pytest

from gateway.context import Outcome
from gateway.errors import BackendFailed, GatewayError, RateLimited, ServerFault
from gateway.pipeline.watchdog import StreamLimits
from gateway.pipeline.watched_answer import WatchedAnswer
from gateway.streams import close
from gateway.testing import Script, answer, part, text_answer
from gateway.types import ResponseStart, StreamEvent, Text, ToolCall, Usage
from tests.gateway.core_support import Recorder, context
from tests.gateway.pipeline.pipeline_support import NOW, Source, read, watched


async def test_events_come_as_they_are() -> None:
    assert await read(watched(Source(text_answer("a", "b")))) == text_answer("a", "b")


async def test_observers_see_each_event_and_the_end() -> None:
    recorder = Recorder()
    await read(watched(Source(text_answer("a")), recorder))
    assert recorder.events == text_answer("a")
    outcome = recorder.outcome
    assert (outcome.status, outcome.stop_reason, outcome.model) == (
        "completed",
        "end",
        "scripted-1",
    )
    assert outcome.usage == Usage(input_tokens=3, output_tokens=2)
    assert outcome.error is None
    assert outcome.first_event is not None
    assert 0 <= outcome.first_event <= outcome.duration


async def test_waiting_for_the_first_event_keeps_it() -> None:
    recorder = Recorder()
    stream = watched(Source(text_answer("a")), recorder)
    await stream.wait_for_first()
    await stream.wait_for_first()
    assert recorder.events == text_answer("a")[:1]
    assert await read(stream) == text_answer("a")


async def test_waiting_for_the_first_event_shows_an_early_failure() -> None:
    async with watched(Source([RateLimited("later")])) as stream:
        with pytest.raises(RateLimited):
            await stream.wait_for_first()


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param([], BackendFailed, id="nothing at all"),
        pytest.param(text_answer("a")[:-1], BackendFailed, id="no ResponseEnd"),
        pytest.param([RateLimited("later")], RateLimited, id="the backend's own error"),
        pytest.param([KeyError("bug")], ServerFault, id="a bug is a server fault"),
        pytest.param([*text_answer("a"), BackendFailed("x")], BackendFailed, id="after the end"),
    ],
)
async def test_failures(script: Script, error: type[GatewayError]) -> None:
    recorder = Recorder()
    source = Source(script)
    with pytest.raises(error) as raised:
        await read(watched(source, recorder))
    assert recorder.outcome.status == "failed"
    assert recorder.outcome.error is raised.value
    assert source.closed == 1


async def test_a_gateway_error_is_not_its_own_cause() -> None:
    with pytest.raises(RateLimited) as raised:
        await read(watched(Source([RateLimited("later")])))
    assert raised.value.__cause__ is None


async def test_the_first_failure_is_the_one_that_is_told() -> None:
    recorder = Recorder()
    async with watched(Source([RateLimited("later")]), recorder) as stream:
        for expected in (RateLimited, BackendFailed):
            with pytest.raises(expected):
                await anext(stream)
    assert isinstance(recorder.outcome.error, RateLimited)


# -- closing ------------------------------------------------------------------------------


async def test_an_answer_that_is_dropped_half_way_is_cancelled() -> None:
    recorder = Recorder()
    source = Source(text_answer("a"))
    async with watched(source, recorder) as stream:
        await anext(stream)
    assert (source.closed, recorder.outcome.status) == (1, "cancelled")


async def test_an_answer_is_complete_once_its_end_was_read() -> None:
    recorder = Recorder()
    async with watched(Source(text_answer("a")), recorder) as stream:
        for _ in text_answer("a"):
            await anext(stream)
    assert recorder.outcome.status == "completed"


async def test_closing_twice_tells_once() -> None:
    recorder = Recorder()
    source = Source()
    stream = watched(source, recorder)
    await stream.aclose()
    await stream.aclose()
    assert (source.closed, len(recorder.outcomes)) == (1, 1)


async def test_it_is_closed_while_being_cancelled() -> None:
    recorder = Recorder()
    source = Source([ResponseStart(), anyio.Event()])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, watched(source, recorder))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert (source.cancelled, source.closed) == (True, 1)
    assert recorder.outcome.status == "cancelled"


async def test_closing_that_fails_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Source):
        async def aclose(self) -> None:
            raise KeyError("x")

    recorder = Recorder()
    await read(watched(Broken(text_answer("a")), recorder))
    assert recorder.outcome.status == "completed"
    assert "closing a stream failed" in caplog.text


async def test_closing_that_hangs_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    class Hanging(Source):
        async def aclose(self) -> None:
            await anyio.sleep_forever()

    await close(Hanging(), seconds=NOW)
    assert "did not close within 0.0 s" in caplog.text


async def test_wrapped_streams_are_closed_even_if_the_wrapper_never_ran() -> None:
    """A generator that never began does not run its `finally`."""
    inner = Source(text_answer("a"))

    async def wrapper() -> AsyncGenerator[StreamEvent]:
        async for event in inner:
            yield event

    await WatchedAnswer(wrapper(), context(), (), StreamLimits(), [inner]).aclose()
    assert inner.closed == 1


# -- observers ----------------------------------------------------------------------------


class Failing(Recorder):
    def on_event(self, event: StreamEvent) -> None:
        super().on_event(event)
        raise KeyError("x")


async def test_an_observer_that_raises_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    failing, sound = Failing(), Recorder()
    assert await read(watched(Source(text_answer("a")), failing, sound)) == text_answer("a")
    assert (len(failing.events), failing.outcomes) == (1, [])
    assert sound.outcome.status == "completed"
    assert "an observer failed in on_event" in caplog.text


class EndOnly:
    """An observer with nothing that is optional."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def on_end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


async def test_an_observer_needs_only_the_end_which_has_the_sums() -> None:
    observer, ctx = EndOnly(), context()
    call = part(1, ToolCall(id="c", name="f"), "{}", "")
    events = answer(part(0, Text(text=""), "a"), call, stop_reason="tool_calls")
    stream = WatchedAnswer(Source(events), ctx, [observer], StreamLimits())
    assert await read(stream) == events
    ctx.report_cost(0.5)  # which it does not ask for
    [outcome] = observer.outcomes
    assert (outcome.status, outcome.tool_calls) == ("completed", 1)
    assert outcome.first_event is not None
    assert outcome.first_token is not None
    assert 0 < outcome.first_event <= outcome.first_token <= outcome.duration


async def test_costs_reach_who_asks_for_them_also_after_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Billed(EndOnly):
        def __init__(self, *wrong: float) -> None:
            super().__init__()
            self.wrong = wrong
            self.costs: list[float] = []

        def on_cost(self, usd: float) -> None:
            self.costs.append(usd)
            if usd in self.wrong:
                raise KeyError(usd)

    failing, sound, ctx = Billed(0.25), Billed(), context()
    await read(WatchedAnswer(Source(text_answer("a")), ctx, [failing, sound], StreamLimits()))
    ctx.report_cost(0.25)
    ctx.report_cost(0.5)
    assert (failing.costs, sound.costs) == ([0.25], [0.25, 0.5])
    assert "an observer failed in on_cost" in caplog.text


def test_without_observers_a_cost_is_nobody_s() -> None:
    context().report_cost(1.0)


async def test_an_observer_that_raises_at_the_end_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class FailingAtEnd(Recorder):
        def on_end(self, outcome: object) -> None:
            raise KeyError("x")

    sound = Recorder()
    await read(watched(Source(text_answer("a")), FailingAtEnd(), sound))
    assert sound.outcome.status == "completed"
    assert "an observer failed in on_end" in caplog.text


@pytest.mark.parametrize(("piece", "size"), [("a", 1), ("é", 2), ("\ud800", 3)], ids=ascii)
async def test_an_answer_may_have_as_many_bytes_as_the_limit_says(piece: str, size: int) -> None:
    async def read(limit: int) -> Recorder:
        recorder = Recorder()
        source = Source(text_answer(*[piece] * 10))
        limits = StreamLimits(answer_bytes=limit)
        async with WatchedAnswer(source, context(), [recorder], limits) as stream:
            async for _ in stream:
                pass
        return recorder

    assert (await read(10 * size)).outcome.status == "completed"
    with pytest.raises(BackendFailed, match=r"limits\.answer_bytes"):
        await read(10 * size - 1)


async def test_what_a_late_cost_needs_holds_on_to_no_answer() -> None:
    """A backend may keep `report_cost` for a while, and an answer may be large."""
    ctx = context()
    stream = WatchedAnswer(Source(text_answer("a")), ctx, [EndOnly()], StreamLimits())
    kept = weakref.ref(stream)
    await read(stream)
    del stream
    assert kept() is None
    ctx.report_cost(0.5)
