"""Reading a string out of JSON that arrives piece by piece."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_openai_responses.string_argument import StringArgument

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)


@given(text=texts, ascii_only=st.booleans(), sizes=st.lists(st.integers(1, 7), min_size=1))
def test_the_pieces_are_together_the_string(text: str, ascii_only: bool, sizes: list[int]) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=ascii_only)
    reader, read, start = StringArgument(), "", 0
    while start < len(arguments):
        size = sizes[start % len(sizes)]
        read += reader.feed(arguments[start : start + size])
        start += size
    assert read == text


def test_a_piece_comes_as_soon_as_it_is_there() -> None:
    reader = StringArgument()
    fed = ['{"inp', 'ut": "a', "b\\", "n\\u00", "e9c", '"}']
    assert [reader.feed(piece) for piece in fed] == ["", "a", "b", "\n", "éc", ""]


@pytest.mark.parametrize(
    "arguments", ['{"other": "a"}' + " " * 64, '{"input": 1, "a": "b"}' + " " * 64, "x" * 70]
)
def test_other_json_is_left_for_the_end(arguments: str) -> None:
    reader = StringArgument()
    assert reader.feed(arguments) + reader.feed('"a"') == ""


def test_nothing_is_read_after_the_string() -> None:
    assert StringArgument().feed('{"input": "a", "b": "c"}') == "a"


def test_half_an_escape_of_a_pair_waits_for_the_other() -> None:
    reader = StringArgument()
    assert reader.feed('{"input": "\\ud83d') == ""
    assert reader.feed("\\ude00") == "😀"
