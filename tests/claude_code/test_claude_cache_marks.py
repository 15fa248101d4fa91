"""A mark for the prompt cache that lasts as long as the CLI's own."""

import pytest

from gateway_claude_code.cache_marks import LONG, SHORT, CacheMarks
from gateway_claude_code.history import Turn

TOO_LONG = (
    "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a "
    "ttl='5m' cache_control block."
)
TEXTS = ({"type": "text", "text": "one"}, {"type": "text", "text": "two"})


def mark_of(marks: CacheMarks) -> object:
    *others, last = marks.put(Turn(role="user", blocks=TEXTS)).blocks
    assert tuple(others) == TEXTS[:-1]
    return last["cache_control"]


@pytest.mark.parametrize(
    ("login", "mark"),
    [("api_key", SHORT), ("none", SHORT), ("oauth_token", LONG), ("claude.ai", LONG)],
)
def test_the_mark_goes_with_the_login(login: str, mark: object) -> None:
    marks = CacheMarks()
    marks.expect_login(login)
    assert mark_of(marks) == mark


def test_before_a_login_is_known_it_is_short() -> None:
    assert mark_of(CacheMarks()) == SHORT


def test_a_turn_without_blocks_gets_none() -> None:
    assert CacheMarks().put(Turn(role="user", blocks=())).blocks == ()


def test_a_refusal_of_one_length_leads_to_the_other() -> None:
    marks = CacheMarks()
    assert marks.learn(TOO_LONG)
    assert mark_of(marks) == LONG


def test_when_both_are_refused_it_is_not_the_length() -> None:
    marks = CacheMarks()
    marks.learn(TOO_LONG)
    assert not marks.learn(TOO_LONG)


def test_a_plan_that_changes_its_marks_again_is_followed_again() -> None:
    marks = CacheMarks()
    marks.learn(TOO_LONG)
    marks.accepted()
    assert marks.learn(TOO_LONG)
    assert mark_of(marks) == SHORT


@pytest.mark.parametrize(
    "message",
    ["messages.0.content.0.cache_control: Extra inputs are not permitted", "messages: empty"],
)
def test_other_refusals_are_about_something_else(message: str) -> None:
    assert not CacheMarks().learn(message)
