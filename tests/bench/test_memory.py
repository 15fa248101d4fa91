"""The memory of processes over many conversations: what counts as growth."""

from collections.abc import Sequence

import pytest

from bench.memory import MOST_GROWTH, Slice, growth, table


def slices(used: Sequence[float]) -> list[Slice]:
    return [Slice(50 * (n + 1), [each / 4, each * 3 / 4], 60.0) for n, each in enumerate(used)]


@pytest.mark.parametrize(
    ("used", "flat"),
    [
        ([160, 200, 240, 270, 280, 281, 280, 282], True),
        ([160, 180, 200, 220, 240, 260, 280, 300], False),
        ([280, 160, 280, 160, 280, 160, 280, 160], True),
        ([200, 200, 200, 200, 200, 200, 210, 210], True),
        ([200, 200, 200, 200, 200, 200, 211, 211], False),
        ([200], True),
        ([], True),
    ],
    ids=[
        "levels off",
        "grows on",
        "replaced at times",
        "just flat",
        "just not",
        "one slice",
        "none",
    ],
)
def test_only_the_second_half_must_be_flat(used: Sequence[float], flat: bool) -> None:
    assert (growth(slices(used)) <= MOST_GROWTH) is flat


def test_a_row_has_the_sum_and_the_largest() -> None:
    assert list(table("10 one-shots", slices([200])))[-1] == "| 50 | 2 | 200 | 150 | 60 |"
