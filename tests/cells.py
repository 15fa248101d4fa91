"""Tables of cases of which each change runs some, and `make test-cells` all."""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import pytest

EVERYTHING: Final = "DRAGOMAN_TEST_CELLS" in os.environ
"""Whether this is `make test-cells`, which also tries more examples of what is made up."""


def examples(number: int) -> int:
    """How many examples are made up: a quarter of this each time, and all on demand."""
    return number if EVERYTHING else number // 4


def cells(table: Mapping[str, Any], each_time: Collection[str]) -> list[Any]:
    """The table's values as parameters under their names; those not named are on demand."""
    unknown = set(each_time) - set(table)
    assert not unknown, f"not in the table: {unknown}"
    return [
        pytest.param(value, id=name, marks=() if name in each_time else pytest.mark.on_demand)
        for name, value in table.items()
    ]


def on_demand(*values: Any) -> Any:
    """One row of a table that is on demand."""
    return pytest.param(*values, marks=pytest.mark.on_demand)


def in_turn(
    rows: Sequence[Any],
    values: Sequence[Any],
    names: Sequence[str] = (),
    each_time: Collection[str] | None = None,
) -> list[Any]:
    """Each row with each of these values as its last parameter.

    Each time the first row has the first value, the second row the second, and so on in turn; the
    other cells are on demand. A row is a tuple, or its only parameter. `names` are of the rows; with
    `each_time`, rows of other names are on demand with all values.
    """
    unknown = set(each_time or ()) - set(names)
    assert not unknown, f"not in the table: {unknown}"
    found = []
    for number, row in enumerate(rows):
        left_out = each_time is not None and names[number] not in each_time
        for place, value in enumerate(values):
            now = place == number % len(values) and not left_out
            found.append(
                pytest.param(
                    *(row if isinstance(row, tuple) else (row,)),
                    value,
                    id=f"{names[number]}-{value}" if names else None,
                    marks=() if now else pytest.mark.on_demand,
                )
            )
    return found
