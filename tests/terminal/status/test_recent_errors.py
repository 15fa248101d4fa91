"""The last errors in `GET /health`: few, and nothing of what was asked."""

from datetime import UTC, datetime

import pytest

from gateway.context import Outcome, RequestContext
from gateway.errors import (
    BackendFailed,
    BackendUnavailable,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    QuotaExhausted,
)
from gateway.types import Target
from gateway_terminal.status.recent_errors import KEPT, RecentErrors

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TARGET = Target(model="m", backend="b", name="n")


def after(*errors: BaseException, target: Target | None = TARGET) -> RecentErrors:
    recent = RecentErrors(lambda: NOW)
    for number, error in enumerate(errors):
        ctx = RequestContext(request_id=f"req_{number}", target=target)
        recent.note(ctx, Outcome(status="failed", duration=1, error=error))
    return recent


def test_an_error_is_kept_with_what_helps_to_find_it() -> None:
    assert after(Overloaded("all are busy")).report() == [
        {
            "at": "2026-03-02T12:00:00+00:00",
            "request_id": "req_0",
            "model": "m",
            "status": 503,
            "kind": "Overloaded",
            "message": "all are busy",
            "account": None,
        }
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BackendUnavailable("no CLI"), "no CLI"),
        (InvalidRequest("'my secret prompt' is no role"), ""),
        (BackendFailed("the upstream said: my secret prompt"), ""),
        (ModelNotFound("The model 'my secret prompt' does not exist."), ""),
        (KeyError("my secret prompt"), ""),
    ],
)
def test_what_may_quote_a_request_is_left_out(error: Exception, said: str) -> None:
    [kept] = after(error, target=None).report()
    assert kept["message"] == said
    assert kept["model"] == "unknown"
    assert "secret" not in str(kept)


def test_a_refused_account_says_why() -> None:
    error = QuotaExhausted("no more")
    error.state = "plan_used_up"  # type: ignore[attr-defined]
    assert after(error).report()[0]["account"] == "plan_used_up"


def test_only_the_last_are_kept_newest_first() -> None:
    recent = after(*(Overloaded(str(number)) for number in range(KEPT + 5)))
    assert len(recent.report()) == KEPT
    assert recent.report()[0]["request_id"] == f"req_{KEPT + 4}"
    assert recent.failed == KEPT + 5


def test_answers_are_counted_and_those_that_were_dropped_are_not() -> None:
    recent = RecentErrors()
    ctx = RequestContext(request_id="r")
    recent.note(ctx, Outcome(status="completed", duration=1))
    recent.note(ctx, Outcome(status="cancelled", duration=1))
    assert (recent.answered, recent.failed, recent.report()) == (1, 0, [])
