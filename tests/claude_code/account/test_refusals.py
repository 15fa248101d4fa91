"""Which refusals are the account's, and the form in which they are told."""

import pytest

from gateway_claude_code.account.refusals import (
    AccountRefusal,
    account_refusal,
    plan_used_up,
    span,
)

NOW = 1_795_770_000.0  # 2026-11-27 09:00 UTC

THIRD_PARTY = (
    "Third-party apps now draw from your extra usage, not your plan limits. "
    "Add more at claude.ai/settings/usage and keep going."
)
SPEND_CAP = (
    "You have reached your API usage limits: your organization has crossed its monthly API usage "
    "threshold. You will regain access on 2026-12-01 at 00:00 UTC."
)


@pytest.mark.parametrize(
    ("sentence", "name", "status", "state"),
    [
        (THIRD_PARTY, "unknown", 400, "extra_usage"),
        ("You're out of extra usage. Add more at claude.ai.", "unknown", 400, "extra_usage"),
        ("Extra usage is required for long context requests.", "rate_limit", 429, "extra_usage"),
        ("Usage credits required for 1M context", None, None, "extra_usage"),
        ("Fable 5 requires usage credits.", None, 429, "extra_usage"),
        ("Your seat type doesn't include extra usage", None, 429, "extra_usage"),
        ("Credit balance is too low", "billing_error", 400, "billing"),
        ("Your credit balance is too low to access the API.", "unknown", 400, "billing"),
        ("There's an issue with your billing.", "unknown", 402, "billing"),
        (SPEND_CAP, "rate_limit", 429, "spend_limit"),
        ("You have reached your specified API usage limits.", "unknown", 400, "spend_limit"),
        ("spend limit reached (daily; resets 2026-12-01 00:00 UTC)", None, 429, "spend_limit"),
    ],
)
def test_what_is_the_accounts(
    sentence: str, name: str | None, status: int | None, state: str
) -> None:
    error = account_refusal(sentence, name, status)
    assert error is not None
    assert error.state == state
    assert sentence.rstrip(".") in error.message
    assert (error.status, error.should_retry, error.retry_after) == (429, False, None)


@pytest.mark.parametrize(
    "sentence",
    ["max_tokens: too many", "This request would exceed your rate limit.", "Overloaded"],
)
def test_what_is_not(sentence: str) -> None:
    assert account_refusal(sentence, "unknown", 400) is None


@pytest.mark.parametrize("sentence", [THIRD_PARTY, "Credit balance is too low"])
def test_what_only_a_person_can_change_is_a_missing_quota(sentence: str) -> None:
    error = account_refusal(sentence, None, 400)
    assert error is not None
    assert (error.code, error.resets_at) == ("insufficient_quota", None)
    assert "claude.ai/settings/usage" in error.message


@pytest.mark.parametrize(
    "error",
    [plan_used_up("five_hour", NOW + 7200, NOW), account_refusal(SPEND_CAP, None, 429)],
)
def test_what_resets_by_itself_is_a_rate_limit(error: AccountRefusal) -> None:
    assert error.code == "upstream_rate_limited"
    assert error.resets_at is not None
    assert error.message.startswith("Quota exceeded: ")


def test_a_spend_limit_knows_its_end() -> None:
    error = account_refusal(SPEND_CAP, None, 429)
    assert error is not None
    assert error.resets_at == 1_796_083_200


def test_a_used_up_plan_in_words() -> None:
    assert plan_used_up("five_hour", NOW + 7100, NOW).message == (
        "Quota exceeded: the 5-hour usage limit of the Claude plan is reached. "
        "It resets at 2026-11-27 10:58 UTC (in 1 h 58 min). "
        "Usage is shown by `dragoman status` and at https://claude.ai/settings/usage."
    )
    assert "the weekly Opus usage limit" in plan_used_up("seven_day_opus", NOW + 9, NOW).message
    assert "the some day usage limit" in plan_used_up("some_day", NOW + 9, NOW).message
    assert "the usage limit" in plan_used_up("", NOW + 9, NOW).message


@pytest.mark.parametrize("word", ["billing", "credit", "payment", "upgrade", "insufficient"])
def test_a_used_up_plan_is_not_taken_for_a_billing_failure(word: str) -> None:
    assert word not in plan_used_up("seven_day", NOW + 7200, NOW).message.lower()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 min"), (3600, "1 h"), (7140, "1 h 59 min"), (86400 * 2 + 60, "2 d 1 min")],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text
