"""The ways in which clients ask for reasoning."""

from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway_openai.decode.chat import ChatCall, decode, parse


def call(**fields: Any) -> ChatCall:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return decode(parse(body))


@pytest.mark.parametrize(
    ("fields", "effort", "thinking"),
    [
        ({}, None, None),
        ({"reasoning_effort": "low"}, "low", None),
        ({"reasoning_effort": "none"}, "none", None),
        ({"reasoning": {"effort": "high"}}, "high", None),
        ({"reasoning": {"enabled": False}}, None, False),
        ({"reasoning": {"enabled": True}}, None, True),
        ({"reasoning": {}}, None, None),
        ({"thinking": {"type": "disabled"}}, None, False),
        ({"thinking": {"type": "enabled"}}, None, True),
        ({"thinking": {"type": "adaptive"}}, None, True),
        ({"reasoning_effort": "low", "reasoning": {"effort": "high"}}, "low", None),
        ({"reasoning_effort": "max", "thinking": {"type": "disabled"}}, "max", False),
        ({"reasoning_effort": "max", "thinking": {"type": "enabled"}}, "max", None),
        ({"reasoning_effort": "none", "thinking": {"type": "disabled"}}, "none", False),
    ],
)
def test_what_is_asked_for(
    fields: dict[str, Any], effort: str | None, thinking: bool | None
) -> None:
    request = call(**fields).request
    assert (request.effort, request.thinking) == (effort, thinking)


@pytest.mark.parametrize(
    ("tokens", "effort"),
    [(0, "low"), (1024, "low"), (4096, "low"), (8000, "medium"), (16000, "high"), (10**6, "high")],
)
def test_a_budget_is_the_nearest_effort_and_that_is_said(tokens: int, effort: str) -> None:
    budgets = {
        "reasoning.max_tokens": {"reasoning": {"max_tokens": tokens}},
        "thinking.budget_tokens": {"thinking": {"type": "enabled", "budget_tokens": tokens}},
    }
    for name, fields in budgets.items():
        found = call(**fields)
        assert found.request.effort == effort
        assert found.adjusted == {name: effort}


def test_an_effort_goes_before_a_budget() -> None:
    found = call(reasoning={"effort": "medium", "max_tokens": 100_000})
    assert (found.request.effort, found.adjusted) == ("medium", {})


def test_excluded_reasoning_is_not_shown() -> None:
    assert not call(reasoning={"exclude": True}).shows_reasoning
    assert call(reasoning={"exclude": False}).shows_reasoning
    assert call().shows_reasoning


@pytest.mark.parametrize("name", ["reasoning", "thinking"])
def test_these_fields_are_not_reported_as_ignored(name: str) -> None:
    assert call(**{name: {}}).ignored == ()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"reasoning": "high"}, "reasoning"),
        ({"thinking": {"budget_tokens": -1}}, "thinking.budget_tokens"),
    ],
)
def test_nonsense_is_refused_with_its_place(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        call(**fields)
    assert refused.value.param == param
