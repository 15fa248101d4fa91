"""The JSON that is sent: byte for byte that of `json`, escaped where the plain text would do harm."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.frontend import dump
from tests.gateway.frontend.response.json_support import by_json, texts

values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_the_same_bytes_as_json(value: Any) -> None:
    assert dump(value) == by_json(value)


@pytest.mark.parametrize("before", ["", "a", "é", "日", "😀"])
def test_large_texts_are_the_same(before: str) -> None:
    """They are worked on in pieces, whose ends are nowhere within a character."""
    text = before + "\u2028é日😀\x85" * 100_000
    assert dump(text) == by_json(text)


@given(st.floats(allow_nan=False))
def test_floats_keep_their_value(number: float) -> None:
    sent = dump(number)
    assert math.copysign(1, json.loads(sent)) == math.copysign(1, number)
    assert json.loads(sent) == number


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_json_has_no_number_for(number: float) -> None:
    assert dump({"a": [number]}) == by_json({"a": [number]})


def test_what_json_has_no_form_for() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        dump({"a": object()})


def test_a_value_that_contains_itself() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match="Circular"):
        dump(value)
