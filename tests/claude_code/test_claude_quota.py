"""A quota that is used up is answered from memory, and asked about now and then."""

from typing import Any

import pytest

from gateway.errors import QuotaExhausted
from gateway_claude_code.quota import PROBE_SECONDS, Quota


class Clocks:
    def __init__(self) -> None:
        self.now = 1_000_000.0
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


def used_up(seconds: float | None) -> QuotaExhausted:
    return QuotaExhausted("You've hit your limit", retry_after=seconds)


def test_until_the_reset_it_is_answered_from_memory(clocks: Clocks) -> None:
    quota = a_quota(clocks, rateLimitType="five_hour")
    assert refusal(quota) is None
    quota.remember("opus", used_up(200))
    clocks.pass_(50)
    error = refusal(quota, "sonnet")
    assert error is not None
    assert (error.message, error.retry_after) == ("You've hit your limit", 150)
    assert error.should_retry is False
    clocks.pass_(100)
    error = refusal(quota)
    assert error is not None
    assert error.should_retry is None
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
    quota = a_quota(clocks, rateLimitType=limit)
    quota.remember("claude-opus-4-1", used_up(100))
    models = ("opus", "claude-opus-4-1", "sonnet")
    assert {model for model in models if refusal(quota, model)} == refused


def test_without_a_time_nothing_is_remembered(clocks: Clocks) -> None:
    quota = a_quota(clocks)
    quota.remember("opus", used_up(None))
    assert refusal(quota) is None


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
