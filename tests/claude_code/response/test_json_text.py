"""Finding one JSON value in text that comes in pieces."""

import json
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_claude_code.response.json_answer import _WRAPPED
from gateway_claude_code.response.json_text import ValueCutter, ValueScanner

_OBJECT = re.compile(r'(?P<value>\{)\s*["}]')

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.text(alphabet='{}[]",:\\ \n`a')
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text() | st.text(alphabet='{}[]",:\\'), VALUES, max_size=4)
INDENTS = st.sampled_from([None, 0, 2])
ASCII = st.booleans()


def cut(start: re.Pattern[str], pieces: Iterable[str]) -> str:
    cutter = ValueCutter(start)
    return "".join(cutter.feed(piece) for piece in pieces)


@st.composite
def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """The text in any pieces, empty ones among them."""
    ends = sorted(draw(st.lists(st.integers(0, len(text)), max_size=20)))
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


# -- for any value and any pieces ---------------------------------------------------------


@given(data=st.data(), value=OBJECTS, indent=INDENTS, ascii_only=ASCII)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("Here you are: ", " That's all."),
        ("```json\n", "\n```\n"),
        ("With {braces} and [this]: ", ' and {"another": 1} }]"'),
        ("{{ {", "}"),
        ('"quoted" ', ' "'),
    ],
)
def test_an_object_is_cut_out_of_whatever_stands_around_it(
    data: st.DataObject,
    value: object,
    indent: int | None,
    ascii_only: bool,
    before: str,
    after: str,
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    pieces = data.draw(pieces_of(before + text + after))
    assert cut(_OBJECT, pieces) == text


@given(data=st.data(), value=VALUES, indent=INDENTS, ascii_only=ASCII)
@pytest.mark.parametrize(
    "around", ['{{"value":{}}}', '{{ "value" : {} }}', '{{\n\t"value":\r\n{}\n}}\n']
)
def test_the_wrapped_value_is_cut_out_of_its_object(
    data: st.DataObject, value: object, indent: int | None, ascii_only: bool, around: str
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    pieces = data.draw(pieces_of(around.format(text)))
    assert cut(_WRAPPED, pieces) == text


@given(data=st.data(), value=VALUES)
def test_other_properties_of_the_object_are_left_out(data: st.DataObject, value: object) -> None:
    text = json.dumps(value)
    pieces = data.draw(pieces_of(f'{{"value": {text}, "value2": [1, 2]}}'))
    assert cut(_WRAPPED, pieces) == text


# -- at the borders of pieces -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "}"}',
        r'{"a": "\"}"}',
        r'{"a\\": "\\"}',
        r'{"\u007d": "\\\""}',
        '{"a": ["{", {}]}',
        "{}",
    ],
)
def test_character_by_character(text: str) -> None:
    assert cut(_OBJECT, f"x{text}y") == text


@pytest.mark.parametrize(
    "text", ["1", "-1.5e+3", "true", "null", '"a, } ]"', '""', "[]", "[[1], 2]"]
)
@pytest.mark.parametrize("end", ["}", " }", ",", "\n}"])
def test_scalars_and_lists_character_by_character(text: str, end: str) -> None:
    assert cut(_WRAPPED, f'{{"value":{text}{end}') == text


def test_what_belongs_to_the_value_is_passed_on_at_once() -> None:
    cutter = ValueCutter(_OBJECT)
    fed = [cutter.feed(piece) for piece in ("Sure {", "\n", '"a"', ": 1", "} done", "{}")]
    assert fed == ["", "", '{\n"a"', ": 1", "}", ""]


def test_found_says_whether_the_value_has_begun() -> None:
    cutter = ValueCutter(_OBJECT)
    states = [cutter.found]
    for piece in ("{", " ", "}"):
        cutter.feed(piece)
        states.append(cutter.found)
    assert states == [False, False, False, True]


def test_an_object_that_never_begins_is_nothing() -> None:
    assert cut(_OBJECT, ["no ", "{braces} ", "{", "a"]) == ""


def test_what_may_be_a_start_is_kept_up_to_a_limit() -> None:
    cutter = ValueCutter(_OBJECT)
    cutter.feed("{")
    for _ in range(100):
        cutter.feed(" " * 100)
    assert len(cutter._before) <= 1000
    assert cutter.feed('{"a": 1}') == '{"a": 1}'


# -- the scanner --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length", "ended"),
    [
        ("{}", 2, True),
        ("{} ", 2, True),
        ("{", 1, False),
        ('{"a', 3, False),
        ('"a"b', 3, True),
        ('"\\', 2, False),
        ("12", 2, False),
        ("12 ", 2, True),
        ("12}", 2, True),
        ("12]", 2, True),
        ("12,", 2, True),
        ("[1, 2", 5, False),
        ("[1, 2]]", 6, True),
        ("", 0, False),
    ],
)
def test_how_much_belongs_to_a_value(text: str, length: int, ended: bool) -> None:
    scanner = ValueScanner()
    assert scanner.feed(text) == length
    assert scanner.ended is ended


def test_after_its_end_a_value_takes_nothing() -> None:
    scanner = ValueScanner()
    scanner.feed("{}")
    assert scanner.feed("{}") == 0
