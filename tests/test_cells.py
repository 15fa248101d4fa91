"""Which cells of a table run each time, and which on demand."""

from typing import Any

import pytest

from tests.cells import cells, in_turn, on_demand


def shown(parameters: list[Any]) -> list[tuple[object, ...]]:
    """The values of those that run each time."""
    return [each.values for each in parameters if not each.marks]


def test_those_that_are_named_run_each_time() -> None:
    table = cells({"a": 1, "b": 2, "c": 3}, ["a", "c"])
    assert shown(table) == [(1,), (3,)]
    assert [each.id for each in table] == ["a", "b", "c"]
    assert [mark.name for mark in table[1].marks] == ["on_demand"]


def test_a_name_that_is_not_in_the_table_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="not in the table"):
        cells({"a": 1}, ["b"])


def test_each_row_runs_with_one_value_in_turn() -> None:
    table = in_turn([("a", 1), ("b", 2), ("c", 3)], [False, True])
    assert shown(table) == [("a", 1, False), ("b", 2, True), ("c", 3, False)]
    assert len(table) == 6


def test_a_row_of_one_parameter_needs_no_tuple_and_may_have_a_name() -> None:
    table = in_turn(["x", "y"], ["m", "n"], names=["first", "second"])
    assert shown(table) == [("x", "m"), ("y", "n")]
    assert [each.id for each in table] == ["first-m", "first-n", "second-m", "second-n"]


def test_rows_that_are_not_named_for_each_time_are_on_demand_with_all_values() -> None:
    table = in_turn(["x", "y"], ["m", "n"], names=["first", "second"], each_time=["second"])
    assert shown(table) == [("y", "n")]
    assert len(table) == 4
    with pytest.raises(AssertionError, match="not in the table"):
        in_turn(["x"], ["m"], names=["first"], each_time=["second"])


def test_a_single_row_on_demand() -> None:
    row = on_demand(1, "a")
    assert (row.values, [mark.name for mark in row.marks]) == ((1, "a"), ["on_demand"])
