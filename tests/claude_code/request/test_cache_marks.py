"""A mark for the prompt cache that lasts as long as the CLI's own."""

import pytest

from gateway_claude_code.request.cache_marks import LONG, SHORT, CacheMarks, marked
from gateway_claude_code.request.history import Turn

TOO_LONG = (
    "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a "
    "ttl='5m' cache_control block."
)
TEXTS = ({"type": "text", "text": "one"}, {"type": "text", "text": "two"})


def test_the_mark_is_on_the_last_block() -> None:
    turn = marked(Turn(role="user", blocks=TEXTS), SHORT)
    assert turn.blocks == (TEXTS[0], {**TEXTS[1], "cache_control": SHORT})


@pytest.mark.parametrize(("blocks", "mark"), [((), SHORT), (TEXTS, None)])
def test_without_a_block_or_a_mark_a_turn_stays_as_it_is(blocks: object, mark: object) -> None:
    turn = Turn(role="user", blocks=blocks)  # type: ignore[arg-type]
    assert marked(turn, mark) == turn  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("login", "mark"),
    [("api_key", SHORT), ("none", SHORT), ("oauth_token", LONG), ("claude.ai", LONG)],
)
def test_the_mark_goes_with_the_login(login: str, mark: object) -> None:
    marks = CacheMarks()
    marks.expect_login(login)
    assert marks.mark is mark


def test_before_a_login_is_known_it_is_short() -> None:
    assert CacheMarks().mark is SHORT


def test_a_refusal_of_one_length_leads_to_the_other() -> None:
    marks = CacheMarks()
    assert marks.learn(TOO_LONG, SHORT)
    assert marks.mark is LONG


def test_requests_at_the_same_time_teach_the_same_once() -> None:
    marks = CacheMarks()
    assert [marks.learn(TOO_LONG, SHORT) for _ in range(3)] == [True, True, True]
    assert marks.mark is LONG


def test_when_both_are_refused_there_is_none() -> None:
    marks = CacheMarks()
    marks.learn(TOO_LONG, SHORT)
    assert marks.learn(TOO_LONG, LONG)
    assert marks.mark is None


def test_one_too_many_is_left_out() -> None:
    marks = CacheMarks()
    assert marks.learn("A maximum of 4 blocks with cache_control may be provided. Found 5.", SHORT)
    assert marks.mark is None


def test_a_plan_that_changes_its_marks_again_is_followed_again() -> None:
    marks = CacheMarks()
    marks.learn(TOO_LONG, SHORT)
    marks.accepted(LONG)
    assert marks.learn(TOO_LONG, LONG)
    assert marks.mark is SHORT


@pytest.mark.parametrize(
    ("message", "mark"),
    [
        ("messages.0.content.0.cache_control: Extra inputs are not permitted", SHORT),
        ("messages: empty", SHORT),
        (TOO_LONG, None),
    ],
)
def test_other_refusals_are_about_something_else(message: str, mark: object) -> None:
    assert not CacheMarks().learn(message, mark)  # type: ignore[arg-type]
