"""Arguments of calls: as the API takes them, and whether the CLI reads them alike."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_claude_code.request.tools.call_input import call_input, is_read_alike

NUMBERS = [
    ("0", 0),
    ("-7", -7),
    ("1.0", 1.0),
    ("0.1", 0.1),
    ("1e-7", 1e-7),
    ("-0.0", 0),
    ("1E+300", 1e300),
    ("9007199254740992", 2**53),
    ("9007199254740993", "9007199254740993"),
    ("1180520049358479451", "1180520049358479451"),
    ("1180520049358479400", 1180520049358479400),
    ("1152921504606846976", "1152921504606846976"),  # a double, but JavaScript writes ...847000
    ("-12345678901234567890123", "-12345678901234567890123"),
    ("9" * 5000, "9" * 5000),
    ("0.1000000000000000055", "0.1000000000000000055"),
    ("1.10", 1.1),
    ("1e400", "1e400"),
    ("-1e400", "-1e400"),
    ("1e-400", "1e-400"),
    ("1e99999999999999999999", "1e99999999999999999999"),
]
"""The digits in a call's arguments, and what is sent for them."""


@pytest.mark.parametrize(("digits", "sent"), NUMBERS)
def test_a_number_that_javascript_can_t_hold_is_sent_as_a_string(
    digits: str, sent: float | str
) -> None:
    assert call_input(f'{{"a": {digits}, "b": [{{"c": {digits}}}]}}') == {
        "a": sent,
        "b": [{"c": sent}],
    }


@pytest.mark.parametrize(("digits", "sent"), NUMBERS)
def test_the_cli_reads_just_the_other_numbers_alike(digits: str, sent: float | str) -> None:
    assert is_read_alike(f'{{"a": [{digits}]}}') is not isinstance(sent, str)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_what_javascript_writes_is_held_by_it(number: float) -> None:
    assert call_input(json.dumps({"a": number})) == {"a": number}


@pytest.mark.parametrize(
    ("arguments", "alike"),
    [
        ("", True),
        (" \n", True),
        ("{}", True),
        ('{"a": "1e400", "b": [null, true]}', True),
        ('{"a": 1, "a": 2}', True),
        ('{"a": "\\ud83d\\ude00"}', True),
        ("[1, 2]", False),
        ("42", False),
        ("null", False),
        ('{"a": "unfinished', False),
        ('{"a": NaN}', False),
        ('{"a": "\\ud83d"}', False),
        ('{"__proto__": {"a": 1}}', False),
        ('{"a": [{"\\u005f_proto__": 1}]}', False),
        ('{"a":' * 100_000, False),
    ],
)
def test_what_the_cli_makes_something_else_of(arguments: str, alike: bool) -> None:
    assert is_read_alike(arguments) is alike


@pytest.mark.parametrize("arguments", ['{"x": NaN}', '{"x": -Infinity}', "[1]", "nonsense"])
def test_arguments_that_are_no_json_object_are_kept_as_text(arguments: str) -> None:
    assert call_input(arguments) == {"arguments": arguments}
