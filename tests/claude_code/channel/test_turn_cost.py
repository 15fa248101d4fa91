"""Each turn's cost goes to the request that it was for, once."""

import math

from gateway_claude_code.channel.turn_cost import TurnCost


def test_of_a_total_each_request_is_told_its_own_part() -> None:
    cost, first, second = TurnCost(), list[float](), list[float]()
    cost.begin(first.append)
    cost.note(0.25)
    cost.note(0.75)
    cost.begin(second.append)
    cost.note(1.0)
    assert (first, second) == ([0.25, 0.5], [0.25])


def test_the_cost_of_a_turn_that_nobody_asks_about_is_nobody_elses() -> None:
    cost, told = TurnCost(), list[float]()
    cost.note(0.5)
    assert not cost.is_wanted
    cost.begin(told.append)
    assert cost.is_wanted
    cost.note(0.75)
    cost.end()
    cost.note(1.0)
    assert told == [0.25]


def test_what_is_no_growing_sum_is_passed_over() -> None:
    cost, told = TurnCost(), list[float]()
    cost.begin(told.append)
    for total in (None, "1", 0, -1, math.nan, math.inf, [1]):
        cost.note(total)
    assert told == []
