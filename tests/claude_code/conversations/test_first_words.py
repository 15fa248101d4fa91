"""What goes out before an answer says something, and what follows an answer that is whole."""

import math
from collections.abc import Callable
from contextlib import aclosing

import anyio
import pytest

from gateway.context import RequestContext
from gateway.errors import BackendFailed
from gateway.types import PartStart, ResponseEnd, ResponseStart, UsageUpdate
from tests.claude_code.claude_code_support import (
    TARGET,
    FakeCli,
    a_request,
    backend_for,
    is_gone,
    until_failure,
)

MakeCli = Callable[[str], FakeCli]
Environ = dict[str, str]

BEGUN = "set_up(); hear(); begin(); "
SILENCE = "gateway_claude_code.conversations.held_start.HELD_SECONDS"


@pytest.mark.parametrize(
    ("play", "counted"),
    [("sys.exit(1)", 0), ("text(''); sys.exit(1)", 0), ("text('H'); sys.exit(1)", 4)],
)
async def test_a_failure_before_the_first_word_comes_alone(
    fake_cli: MakeCli, environ: Environ, play: str, counted: int
) -> None:
    backend = backend_for(fake_cli(BEGUN + play), environ)
    seen, _ = await until_failure(backend, a_request(), BackendFailed)
    assert len(seen) == counted


async def test_a_silent_start_goes_out_all_the_same(
    fake_cli: MakeCli, environ: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SILENCE, 0)
    backend = backend_for(fake_cli(BEGUN + "hold()"), environ, close_seconds=0.5)
    context = RequestContext(request_id="r-1")
    async with backend.running():
        with anyio.fail_after(10):
            async with aclosing(backend.answer(a_request(), TARGET, context)) as answer:
                kinds = [type(await anext(answer)) for _ in range(3)]
    assert kinds == [ResponseStart, UsageUpdate, PartStart]


@pytest.mark.parametrize(
    "asks",
    [
        "dict(type='system', subtype='status', status='requesting')",
        "event('message_start', message=dict(model='claude-test'))",
    ],
)
async def test_a_process_that_asks_once_more_is_ended_at_once(
    fake_cli: MakeCli, environ: Environ, monkeypatch: pytest.MonkeyPatch, asks: str
) -> None:
    monkeypatch.setattr("gateway_claude_code.conversations.conversation.SETTLE_SECONDS", math.inf)
    cli = fake_cli(BEGUN + f"text(' '); end(); say({asks}); hold()")
    backend = backend_for(cli, environ, max_live=1)
    async with backend.running():
        answer = backend.answer(a_request(), TARGET, RequestContext(request_id="r-1"))
        events = [event async for event in answer]
        assert events[-1] == ResponseEnd(stop_reason="end")
        with anyio.fail_after(10):
            while not is_gone(cli.pid):  # noqa: ASYNC110 - a process tells nobody that it is gone
                await anyio.sleep(0.01)
