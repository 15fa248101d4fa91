"""An account that is refused is answered from memory, and asked about now and then."""

from typing import Any

import pytest

from gateway.errors import QuotaExhausted, UpstreamRateLimited
from gateway_claude_code.account.quota import CREDIT_SECONDS, PROBE_SECONDS, SHOWN_SECONDS, Quota
from gateway_claude_code.account.refusals import AccountRefusal, plan_used_up

NOW = 1_000_000.0


class Clocks:
    def __init__(self) -> None:
        self.now = NOW
        self.elapsed = 0.0

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        self.elapsed += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def a_quota(clocks: Clocks, **info: Any) -> Quota:
    quota = Quota(lambda: clocks.now, lambda: clocks.elapsed)
    if info:
        quota.note(info)
    return quota


def refusal(quota: Quota, model: str = "opus") -> QuotaExhausted | None:
    try:
        quota.check(model)
    except QuotaExhausted as error:
        return error
    return None


def used_up(seconds: float, limit: str = "five_hour") -> AccountRefusal:
    return plan_used_up(limit, NOW + seconds, NOW)


def test_until_the_reset_it_is_answered_from_memory(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    assert refusal(quota) is None
    quota.remember("opus", used_up(200))
    clocks.pass_(50)
    error = refusal(quota, "sonnet")
    assert error is not None
    assert "(in 2 min)" in error.message
    assert (error.retry_after, error.should_retry) == (None, False)
    clocks.pass_(100)
    error = refusal(quota)
    assert error is not None
    assert (error.retry_after, error.should_retry) == (50, None)
    clocks.pass_(50)
    assert refusal(quota) is None


def test_now_and_then_one_request_finds_out_whether_it_still_holds(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    quota.remember("opus", used_up(10 * PROBE_SECONDS))
    clocks.pass_(PROBE_SECONDS)
    assert refusal(quota) is None
    assert refusal(quota) is not None
    quota.succeeded("opus")
    assert refusal(quota) is None


def test_a_clock_that_is_set_back_does_not_lock_out_for_good(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    quota.remember("opus", used_up(60))
    clocks.now -= 10**6
    clocks.elapsed += PROBE_SECONDS
    assert refusal(quota) is None


@pytest.mark.parametrize(
    ("limit", "refused"),
    [
        ("seven_day_opus", {"opus", "claude-opus-4-1"}),
        ("seven_day", {"opus", "claude-opus-4-1", "sonnet"}),
        ("five_hour", {"opus", "claude-opus-4-1", "sonnet"}),
        ("seven_day_sonnet", {"opus", "claude-opus-4-1", "sonnet"}),
    ],
)
def test_a_limit_of_one_family_of_models_is_no_other_ones(
    clocks: Clocks, limit: str, refused: set[str]
) -> None:
    quota = a_quota(clocks)
    quota.remember("claude-opus-4-1", used_up(100, limit))
    models = ("opus", "claude-opus-4-1", "sonnet")
    assert {model for model in models if refusal(quota, model)} == refused


@pytest.mark.parametrize("error", [QuotaExhausted("no"), QuotaExhausted("no", retry_after=9)])
def test_other_errors_are_not_remembered(clocks: Clocks, error: QuotaExhausted) -> None:
    quota = a_quota(clocks)
    quota.remember("opus", error)
    assert refusal(quota) is None
    assert quota.account() == {}


def test_an_empty_account_is_asked_about_soon_again(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    quota.remember("opus", AccountRefusal("no credit", "billing"))
    clocks.pass_(CREDIT_SECONDS - 1)
    error = refusal(quota, "sonnet")
    assert error is not None
    assert (error.message, error.code) == ("no credit", "insufficient_quota")
    clocks.pass_(1)
    assert refusal(quota) is None


def test_a_spend_limit_holds_until_its_end(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    quota.remember("opus", AccountRefusal("spent", "spend_limit", resets_at=NOW + 100))
    clocks.pass_(50)
    error = refusal(quota)
    assert error is not None
    assert (error.message, error.retry_after, error.code) == ("spent", 50, UpstreamRateLimited.code)
    clocks.pass_(50)
    assert refusal(quota) is None


def test_the_same_request_is_not_sent_again_as_extra_usage(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    quota.remember("opus", AccountRefusal("not in the plan", "extra_usage"), lambda: b"one")
    quota.check("opus", lambda: b"another")
    with pytest.raises(AccountRefusal, match="not in the plan"):
        quota.check("opus", lambda: b"one")
    clocks.elapsed += CREDIT_SECONDS
    quota.check("opus", lambda: b"one")


def test_extra_usage_is_shown_and_does_not_keep_others_from_asking(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    quota.remember("opus", AccountRefusal("not in the plan", "extra_usage"))
    assert refusal(quota) is None
    assert quota.account() == {
        "state": "extra_usage",
        "message": "not in the plan",
        "since": NOW,
        "resets_at": None,
        "models": "opus",
    }
    clocks.pass_(SHOWN_SECONDS)
    assert quota.account() == {}


def test_a_used_up_plan_is_shown_until_its_reset(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    assert quota.account() == {}
    quota.remember("opus", used_up(200))
    account = quota.account()
    assert (account["state"], account["resets_at"], account["models"]) == (
        "plan_used_up",
        NOW + 200,
        None,
    )
    clocks.pass_(200)
    assert quota.account() == {}


def test_windows_that_were_asked_for_are_reported_beside_the_others(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    quota.note_windows({"five_hour": {"utilization": 0.1, "resets_at": 5.0}})
    quota.note({"status": "allowed", "unifiedWindows": {"five_hour": {"utilization": 0.2}}})
    quota.note_windows({"seven_day": {"utilization": 0.4, "resets_at": None}})
    assert quota.report()["windows"] == {
        "five_hour": {"utilization": 0.2, "resets_at": None},
        "seven_day": {"utilization": 0.4, "resets_at": None},
    }


def test_the_windows_are_reported(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    assert quota.report() == {}
    quota.note("nonsense")
    quota.note(
        {
            "status": "allowed_warning",
            "rateLimitType": "five_hour",
            "resetsAt": 5,
            "unifiedWindows": {"five_hour": {"utilization": 0.9, "resetsAt": 5}, "x": None},
        }
    )
    assert quota.report() == {
        "status": "allowed_warning",
        "limit": "five_hour",
        "resets_at": 5,
        "windows": {"five_hour": {"utilization": 0.9, "resets_at": 5}},
    }
