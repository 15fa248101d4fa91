"""Settings survive a turn: those of the last request are taken back by name."""

from typing import Any

import pytest

from gateway_claude_code.request.settings import as_before

LIMITED = {"env": {"A": "1"}, "effortLevel": "low", "model": "opus"}


@pytest.mark.parametrize(
    ("settings", "earlier", "sent"),
    [
        ({"env": {"A": "1"}}, {}, {"env": {"A": "1"}}),
        ({"env": {"A": "1"}}, {"env": {"A": "2", "B": "3"}}, {"env": {"A": "1", "B": ""}}),
        ({"model": "m"}, LIMITED, {"env": {"A": ""}, "effortLevel": None, "model": "m"}),
        (LIMITED, {"model": "m", "effortLevel": None}, LIMITED),
        ({}, {}, {}),
    ],
    ids=["the first", "a variable", "an effort", "nothing to take back", "nothing at all"],
)
def test_everything_that_only_the_earlier_ones_set_is_taken_back(
    settings: dict[str, Any], earlier: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert as_before(settings, earlier) == sent
    assert as_before(settings, sent) == sent
