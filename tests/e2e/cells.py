"""Tables of cases of which each change runs some, and `make test-cells` all."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest


def cells(table: Mapping[str, Any], each_time: Collection[str]) -> list[Any]:
    """The table's values as parameters under their names; those not named are on demand."""
    unknown = set(each_time) - set(table)
    assert not unknown, f"not in the table: {unknown}"
    return [
        pytest.param(value, id=name, marks=() if name in each_time else pytest.mark.on_demand)
        for name, value in table.items()
    ]
