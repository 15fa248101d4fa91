"""Reading the body: its type, its size, and JSON in every broken form."""

import gc
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from gateway.config.settings import LimitsConfig
from gateway.content.surrogates import whole_characters
from gateway.errors import InvalidRequest, PayloadTooLarge
from gateway.frontend.request.body import json_object, parse_json_object, read_body


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b"{", "not valid JSON"),
        (b"[]", "JSON object"),
        (b"null", "JSON object"),
        (b'"model"', "JSON object"),
        (b"model=gpt", "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": Infinity}', "not valid JSON"),
        (b'{"a": "\xff"}', "encoded in UTF-8"),
        (b'{"a": "\\ud800", "b": NaN}', "not valid JSON"),
        (b'{"a": "\\ud8', "not valid JSON"),
        (b'{"a": "\\ud800", "b": ' + b"[" * 300 + b"]" * 300 + b"}", "recursion limit"),
        (b"[" * 100_000, "recursion limit"),
        (b'{"a":' * 100_000, "recursion limit"),
        (b'{"a": 1' + b"0" * 10_000 + b"}", "out of range"),
        (b"{} {}", "trailing characters"),
        ("{}".encode("utf-16"), "not valid JSON"),
    ],
)
def test_what_is_no_json_object_is_refused_with_a_reason(body: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        parse_json_object(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\\u0000"}', {"a": "\0"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    ],
)
def test_unusual_json_is_taken(body: bytes, value: object) -> None:
    assert parse_json_object(body) == value


ESCAPES = st.sampled_from(
    [
        r"\ud83d",
        r"\uDE00",
        r"\ud83d\ude00",
        r"\u00e9",
        r"\\",
        r"\"",
        r"\\ud800",
        "u",
        "d800",
        "x",
        "é",
    ]
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"\xed\xa0\xbd", "\ufffd"),
        (b"\xed\xb8\x80x", "\ufffdx"),
        (b"\xed\xa0\xbd\xed\xb8\x80", "\U0001f600"),
        (b"\xed\x95\x9c\xed\xa0\xbd", "\ud55c\ufffd"),
        (b"\\ud800\xed\xa0\xbd", "\ufffd\ufffd"),
    ],
)
def test_halves_that_are_written_in_utf_8(written: bytes, read: str) -> None:
    assert parse_json_object(b'{"a": "%b"}' % written) == {"a": read}


@given(st.lists(ESCAPES, max_size=8))
def test_halves_of_characters_are_replaced_and_nothing_else(pieces: list[str]) -> None:
    body = f'{{"a": "{"".join(pieces)}"}}'
    expected = json.loads(whole_characters(json.dumps(json.loads(body), ensure_ascii=False)))
    assert parse_json_object(body.encode()) == expected


async def test_a_body_is_not_read_beyond_the_limit() -> None:
    sent = 0

    async def receive() -> dict[str, object]:
        nonlocal sent
        sent += 1
        return {"type": "http.request", "body": b" " * 400, "more_body": True}

    with pytest.raises(PayloadTooLarge):
        await read_body(json_request(receive), LimitsConfig(body_bytes=1000))
    assert sent == 3


async def test_a_client_that_goes_away_meanwhile_is_no_fault_of_ours() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    with pytest.raises(InvalidRequest, match="disconnected"):
        await read_body(json_request(receive), LimitsConfig(body_bytes=1000))


def json_request(receive: Any) -> Request:
    headers = [(b"content-type", b"application/json")]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def test_the_garbage_collector_is_on_again_whoever_turned_it_off() -> None:
    gc.disable()  # as another thread does that reads a body
    try:
        json_object(b"{}", LimitsConfig())
        assert gc.isenabled()
    finally:
        gc.enable()
