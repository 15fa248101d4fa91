"""What follows from a model's facts."""

from dataclasses import replace

import pytest

from gateway_claude_code.facts.documented import documented
from gateway_claude_code.facts.model_facts import EffortLevel

NEWEST = documented("opus").facts


@pytest.mark.parametrize(
    ("model", "by_budget"),
    [("claude-sonnet-4-5", True), ("claude-opus-4-6", False), ("opus", False)],
)
def test_thinking_is_by_budget_only_where_nothing_else_is_accepted(
    model: str, by_budget: bool
) -> None:
    assert documented(model).facts.thinks_by_budget is by_budget


@pytest.mark.parametrize(
    ("levels", "wanted", "level"),
    [
        (("low", "medium", "high", "max"), "xhigh", "high"),
        (("low", "medium", "high", "max"), "max", "max"),
        (("low", "medium", "high"), "max", "high"),
        (("medium", "high"), "low", "medium"),
        ((), "high", None),
    ],
)
def test_a_level_that_a_model_lacks_becomes_the_next_lower_one(
    levels: tuple[EffortLevel, ...], wanted: EffortLevel, level: EffortLevel | None
) -> None:
    assert replace(NEWEST, efforts=levels).level_at_most(wanted) == level
