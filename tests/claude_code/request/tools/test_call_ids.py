"""Ids of calls that repeat, and which call a result is for."""

import re

import pytest

from gateway_claude_code.request.tools.call_ids import UniqueIds, api_id
from gateway_claude_code.request.tools.call_numbers import CallNumbers


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "a"], ["a", "a-2", "a-3"]),
        (["a", "a-2", "a"], ["a", "a-2", "a-3"]),
        (["a_1", "a_2"], ["a_1", "a_2"]),
        (["a", "a_2"], ["a", "a_2-2"]),
        (["a_2", "a"], ["a_2", "a-2"]),
        (["a", "a_x", "a__2", "ab"], ["a", "a_x", "a__2", "ab"]),
        (["a_2", "a_2_3"], ["a_2", "a_2_3-2"]),
        (["", ""], ["call", "call-2"]),
    ],
)
def test_each_id_differs_from_all_before_it(wanted: list[str], given: list[str]) -> None:
    unique = UniqueIds()
    assert [unique.of(call_id) for call_id in wanted] == given


def test_a_thousand_calls_of_one_id() -> None:
    unique = UniqueIds()
    assert len({unique.of("call_0") for _ in range(1000)}) == 1000


def test_an_id_that_repeats_over_turns_is_the_latest_call() -> None:
    numbers = CallNumbers()
    for number in range(3):
        numbers.begin_turn()
        assert numbers.add("call_0") == number
        assert numbers.answered("call_0") == number
        assert numbers.open == range(number, number + 1)


def test_results_of_one_id_answer_the_calls_of_the_turn_in_order() -> None:
    numbers = CallNumbers()
    numbers.begin_turn()
    assert [numbers.add(call_id) for call_id in ("a", "b", "a")] == [0, 1, 2]
    assert [numbers.answered(call_id) for call_id in ("a", "a", "b", "a", "b")] == [0, 2, 1, 2, 1]


def test_a_late_result_is_for_a_call_that_is_not_open() -> None:
    numbers = CallNumbers()
    numbers.begin_turn()
    numbers.add("a")
    numbers.begin_turn()
    numbers.add("b")
    assert (numbers.answered("a"), numbers.answered("c"), numbers.open) == (0, None, range(1, 2))


def test_ids_are_put_into_the_alphabet_of_the_api() -> None:
    assert re.fullmatch(r"functions_f_0_[0-9a-f]{8}", api_id("functions.f:0"))


def test_different_ids_of_calls_stay_different() -> None:
    ids = ("a:1", "a.1", "a_1", "é", "ü")
    assert len({api_id(call_id) for call_id in ids}) == len(ids)
