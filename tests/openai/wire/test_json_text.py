"""The JSON that is sent: byte for byte that of `json`, escaped where the plain text would do harm."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.content.surrogates import whole_characters
from gateway.testing import answer, part
from gateway.types import Text
from gateway_openai.encode.chat import AnswerFormat
from gateway_openai.encode.chat_chunks import ChunkEncoder
from gateway_openai.wire.json_text import dump

HARMFUL = "\x85\u2028\u2029"
"""Line breaks to naive readers of lines; halves of surrogate pairs, the other harm, are replaced."""


def by_json(value: Any) -> bytes:
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if any("\ud800" <= character <= "\udfff" for character in plain):
        return by_json(json.loads(whole_characters(plain)))
    for character in HARMFUL:
        plain = plain.replace(character, json.dumps(character)[1:-1])
    return plain.encode()


texts = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    ["\u2028", "\u2029", "\x85", "\ud83d", "a\udc00b", "\0\x1f\x7f", "😀é日", '"\\/']
)
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


@given(texts)
def test_a_chunk_is_one_line_of_the_text_as_json_has_it(text: str) -> None:
    form = AnswerFormat(id="chatcmpl-1", created=1, model="m")
    encoder = ChunkEncoder(form, choices=1)
    events = answer(part(0, Text(text=""), text))
    sent = b"".join(encoder.encode(0, event) for event in events) + encoder.finish()
    lines = [line for line in sent.splitlines() if line and line != b"data: [DONE]"]
    assert len(lines) == len(sent.split(b"\n\n")) - 2
    assert all(line == b"data: " + by_json(json.loads(line[6:])) for line in lines)
    deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in lines]
    assert "".join(delta.get("content") or "" for delta in deltas) == whole_characters(text)


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
