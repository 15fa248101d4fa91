"""What a key may use."""

import pytest

from gateway.errors import InvalidRequest, NotAllowed, RateLimited
from gateway_access.limits.allowed_models import check_model, may_use
from gateway_access.limits.key_limits import KeyLimits, Limits, duration
from gateway_access.limits.token_bucket import Bucket
from tests.access.access_support import entry
from tests.clock import Clock


def limits(clock: Clock, **given: int) -> KeyLimits:
    found = Limits(clock).of(entry(**given))
    assert found is not None
    return found


def test_a_bucket_fills_in_a_minute_and_not_further() -> None:
    clock = Clock()
    bucket = Bucket(60, clock)
    bucket.take(60)
    assert bucket.level == 0
    clock.now += 15
    assert bucket.level == 15
    assert bucket.seconds_until(20) == 5
    clock.now += 1000
    assert bucket.level == 60


def test_requests_beyond_the_limit_wait_their_time() -> None:
    clock = Clock()
    key = limits(clock, requests_per_minute=2)
    key.enter()
    key.enter()
    with pytest.raises(RateLimited, match="'laptop' has used its 2 requests per minute") as caught:
        key.enter()
    assert caught.value.retry_after == 30
    clock.now += 30
    key.enter()


def test_an_answer_that_cost_too_much_is_waited_for() -> None:
    clock = Clock()
    key = limits(clock, tokens_per_minute=60)
    key.enter()
    key.spend(120)
    with pytest.raises(RateLimited, match="60 tokens per minute") as caught:
        key.enter()
    assert caught.value.retry_after == 61
    clock.now += 61
    key.enter()


def test_requests_at_the_same_time() -> None:
    key = limits(Clock(), concurrent=1)
    key.enter()
    with pytest.raises(RateLimited, match="already has 1 requests in progress") as caught:
        key.enter()
    assert caught.value.retry_after == 1
    key.leave()
    key.enter()


def test_a_refused_request_costs_nothing() -> None:
    key = limits(Clock(), concurrent=1, requests_per_minute=3)
    key.enter()
    for _ in range(5):
        with pytest.raises(RateLimited):
            key.enter()
    assert key.headers()["x-ratelimit-remaining-requests"] == "2"


def test_each_answer_of_a_call_counts_as_a_request() -> None:
    key = limits(Clock(), requests_per_minute=10)
    key.enter()
    key.admit(8)
    assert key.headers()["x-ratelimit-remaining-requests"] == "2"


def test_a_call_for_more_answers_than_are_left_costs_nothing_and_is_told_when_to_come_back() -> (
    None
):
    clock = Clock()
    key = limits(clock, requests_per_minute=10)
    key.enter()
    key.admit(6)
    key.enter()
    with pytest.raises(RateLimited, match="has 4 of its 10 requests per minute left") as caught:
        key.admit(5)
    assert caught.value.retry_after == 6
    assert key.headers()["x-ratelimit-remaining-requests"] == "4"
    clock.now += 6
    key.enter()
    key.admit(5)
    assert key.headers()["x-ratelimit-remaining-requests"] == "0"


def test_a_call_for_more_answers_than_there_ever_are_is_wrong() -> None:
    key = limits(Clock(), requests_per_minute=10)
    key.enter()
    with pytest.raises(InvalidRequest, match=r"11 answers .* 'laptop' is limited to 10") as caught:
        key.admit(11)
    assert caught.value.param == "n"


@pytest.mark.parametrize("given", [{"concurrent": 3}, {"tokens_per_minute": 3}])
def test_without_a_limit_of_requests_a_call_may_ask_for_any_number(given: dict[str, int]) -> None:
    key = limits(Clock(), **given)
    key.enter()
    key.admit(128)


def test_headers_say_what_is_left() -> None:
    key = limits(Clock(), requests_per_minute=60, tokens_per_minute=600)
    key.enter()
    key.spend(1200)
    assert key.headers() == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "600",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "2m0s",
    }
    assert limits(Clock(), concurrent=1).headers() == {}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.0001, "1ms"), (0.12, "120ms"), (7.66, "7.66s"), (60, "1m0s"), (359.2, "6m0s")],
)
def test_durations_are_written_as_openai_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_limits_stay_with_a_key_until_they_are_changed() -> None:
    known = Limits(Clock())
    first = known.of(entry(concurrent=1))
    assert known.of(entry(concurrent=1)) is first
    assert known.of(entry(concurrent=2)) is not first
    assert known.of(entry()) is None


@pytest.mark.parametrize(
    ("patterns", "asked", "target", "may"),
    [
        ((), "anything", "anything", True),
        (("haiku",), "haiku", "claude-haiku-4", True),
        (("claude-haiku-4",), "haiku", "claude-haiku-4", True),
        (("claude-haiku-*",), "haiku", "claude-haiku-4", True),
        (("*",), "opus", "claude-opus-4", True),
        (("claude-haiku-*", "gpt-*"), "gpt-4o", "claude-opus-4", True),
        (("claude-haiku-*",), "opus", "claude-opus-4", False),
        (("haiku",), "haiku-2", "haiku-2", False),
        (("claude.haiku",), "claude-haiku", "claude-haiku", False),
        (("claude-haiku-*",), "x-claude-haiku-4", "x-claude-haiku-4", False),
    ],
)
def test_models_of_a_key(patterns: tuple[str, ...], asked: str, target: str, may: bool) -> None:
    key = entry(models=patterns)
    if may:
        check_model(key, asked, [target])
    else:
        with pytest.raises(NotAllowed, match="it may use: ") as caught:
            check_model(key, asked, [target])
        assert all(pattern in caught.value.message for pattern in patterns)
        assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("patterns", "may"),
    [(("mix",), True), (("big",), False), (("big", "small"), True), (("*l",), False)],
)
def test_a_split_is_for_who_may_use_all_of_its_models(patterns: tuple[str, ...], may: bool) -> None:
    assert may_use(patterns, "mix", ["big", "small"]) is may
