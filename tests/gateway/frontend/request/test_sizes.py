"""The number of values in a body and its depth: each limit has a key."""

from typing import Any

import pytest

from gateway.config.settings import PARSER_DEPTH
from gateway.errors import InvalidRequest
from gateway.frontend.request.body import parse_json_object
from gateway.frontend.request.sizes import check_depth, exceeds


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b'{"a": 1, "b": [1, 2, 3]}', 5),
        (b'{"a": [[], [], []]}', 3),
        (b'{"a": "1, 2, 3: {4, 5}", "b": ""}', 3),
        (b'{"a": "\\", \\": ,,,", "b": "\\\\"}', 3),
    ],
)
def test_keys_and_items_are_counted_outside_of_texts(body: bytes, values: int) -> None:
    assert not exceeds(body, values)
    assert exceeds(body, values - 1)


def test_texts_may_be_full_of_commas() -> None:
    assert not exceeds(b'{"a": "' + b"," * 1_000_000 + b'"}', 10)


def nested(depth: int, *, lists: bool = True) -> bytes:
    """An object in which as many values lie in each other, itself included."""
    if lists:
        return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("limit", [5, PARSER_DEPTH - 1, PARSER_DEPTH])
def test_json_may_be_as_deep_as_the_limit_says(limit: int, lists: bool) -> None:
    assert parse_json_object(nested(limit, lists=lists), limit)
    with pytest.raises(InvalidRequest, match=r"limits\.json_depth"):
        parse_json_object(nested(limit + 2, lists=lists), limit)


def test_the_depth_of_a_bomb_is_no_trouble() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidRequest, match="more than 50 levels"):
        check_depth(value, 50)
    while value:  # taken apart from outside, as Python itself would do it by recursion
        value = value[0]
