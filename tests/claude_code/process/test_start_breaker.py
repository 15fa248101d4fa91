"""A CLI that does not start is not started over and over."""

from pathlib import Path

import pytest

from gateway.errors import BackendFailed, BackendUnavailable
from gateway_claude_code.process.start_breaker import (
    FAILURES,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    StartBreaker,
)
from tests.claude_code.claude_code_support import (
    Environ,
    MakeCli,
    a_request,
    backend_for,
    until_failure,
)
from tests.clock import Clock


def broken(clock: Clock) -> StartBreaker:
    breaker = StartBreaker(clock)
    for _ in range(FAILURES):
        breaker.check()
        breaker.failed(BackendFailed("It exited with code 1."))
    return breaker


def test_after_some_failures_in_a_row_it_is_left_in_peace() -> None:
    clock = Clock(0)
    breaker = broken(clock)
    clock.now = 1
    with pytest.raises(BackendUnavailable, match=r"exited with code 1") as caught:
        breaker.check()
    assert caught.value.retry_after == FIRST_PAUSE - 1
    assert breaker.report() == {"status": "failing", "message": "It exited with code 1."}


def test_one_success_in_between_is_enough() -> None:
    breaker = StartBreaker(Clock(0))
    for _ in range(10):
        breaker.check()
        breaker.failed(BackendFailed("x"))
        breaker.succeeded()
    assert not breaker.open
    assert breaker.report() == {}


def test_then_one_tries_and_the_others_wait_for_it() -> None:
    clock = Clock(0)
    breaker = broken(clock)
    clock.now = FIRST_PAUSE
    breaker.check()
    with pytest.raises(BackendUnavailable):
        breaker.check()
    breaker.succeeded()
    breaker.check()


def test_the_pauses_grow_to_a_limit() -> None:
    clock = Clock(0)
    breaker = broken(clock)
    pauses = []
    for _ in range(6):
        with pytest.raises(BackendUnavailable) as caught:
            breaker.check()
        pauses.append(caught.value.retry_after)
        clock.now += caught.value.retry_after or 0
        breaker.check()
        breaker.failed(BackendFailed("x"))
    assert pauses == [5, 10, 20, 40, 60, LONGEST_PAUSE]


async def test_a_cli_that_exits_at_once_is_soon_not_started_any_more(
    fake_cli: MakeCli, environ: Environ, tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    cli = fake_cli(f"open({str(starts)!r}, 'a').write('x'); sys.exit(1)")
    backend = backend_for(cli, environ)
    for _ in range(FAILURES):
        await until_failure(backend, a_request(), BackendFailed)
    await until_failure(backend, a_request(), BackendUnavailable)
    assert starts.read_text() == "x" * FAILURES
    assert backend.report()["status"] == "failing"
