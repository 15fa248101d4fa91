"""The headers of an answer, and the JSON that is sent."""

import json

import pytest

from gateway.frontend import dump
from gateway.frontend.response.headers import MAX_IGNORED, answer_headers, list_value


def test_the_answering_model_and_the_ignored_fields() -> None:
    assert answer_headers("claude-x", ["seed", "user", "seed"], [{"X-A": "1"}]) == {
        "x-dragoman-model": "claude-x",
        "x-dragoman-ignored": "seed,user",
        "x-a": "1",
    }


def test_nothing_known_is_nothing_said() -> None:
    assert answer_headers(None, [], [{}]) == {}


@pytest.mark.parametrize(
    ("value", "sent"),
    [("a\r\nb: c", "a??b: c"), ("é", "é"), ("日本", "??"), ("\x00", "?"), (" a ", "a")],
)
def test_a_header_can_have_no_line_break_and_no_foreign_character(value: str, sent: str) -> None:
    assert answer_headers(value, [], [{"x": value}]) == {"x-dragoman-model": sent, "x": sent}


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "é"])
def test_what_is_no_name_of_a_header_is_left_out(name: str) -> None:
    assert answer_headers(None, [], [{name: "v"}]) == {}


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (["a,b", "c\nd"], "a?b,c?d"),
        (["é"], "?"),
        ([""], "?"),
        (["x" * 2000], "x" * MAX_IGNORED + "..."),
    ],
)
def test_names_that_clients_made_up_are_made_harmless(names: list[str], value: str) -> None:
    assert list_value(names) == value


@pytest.mark.parametrize("text", ["plain", "é", "日本", "\n", '"', "😀"])
def test_text_is_sent_as_it_is_where_that_is_safe(text: str) -> None:
    assert dump(text) == json.dumps(text, ensure_ascii=False).encode()


@pytest.mark.parametrize("text", ["a\u2028b", "a\u2029b", "a\x85b"])
def test_text_that_would_break_lines_is_escaped(text: str) -> None:
    assert dump(text).isascii()
    assert json.loads(dump(text)) == text


@pytest.mark.parametrize(
    ("text", "sent"),
    [("a\ud83d", "a\ufffd"), ("\ude00b", "\ufffdb"), ("a\ud83d\ude00b", "a\U0001f600b")],
)
def test_halves_of_characters_are_joined_or_replaced(text: str, sent: str) -> None:
    assert json.loads(dump({text: [text, "\u2028"]})) == {sent: [sent, "\u2028"]}
