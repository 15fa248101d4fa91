"""Bodies that are no JSON object, numbers out of range, media types and sizes."""

import pytest
from fastapi import FastAPI

from tests.openai.http.malformed.malformed_support import CHAT, TEXT, encoded, refused
from tests.openai.openai_support import request_body

VALID = encoded(request_body())
BODIES: list[bytes] = [
    b"",
    b" ",
    b"\n",
    b"\0",
    b"\xef\xbb\xbf",
    b"null",
    b"true",
    b"5",
    b'"model"',
    b"[]",
    b"[" + VALID + b"]",
    b"{",
    b"}",
    b"{]",
    b"{'model': 'm'}",
    b"{model: 1}",
    b'{"model"}',
    b'{"model":}',
    b'{"model": "m",}',
    b'{"model": "m" "messages": []}',
    b'{"model": m}',
    b'{"model": "m',
    b'{"model": "m\n"}',
    b'{"model": "\\x41"}',
    b'{"model": "\\u12"}',
    b'{"a": 01}',
    b'{"a": +1}',
    b'{"a": .5}',
    b'{"a": 1.}',
    b'{"a": 0x10}',
    b'{"a": 1e}',
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": -Infinity}',
    b'{"a": undefined}',
    b'{"a": True}',
    b'{"a": 1} // comment',
    b"/* comment */ {}",
    VALID[:-1],
    VALID + b"x",
    VALID + VALID,
    b"\xff\xfe",
    b'{"model": "\xff"}',
    b'{"model": "\xc3"}',
    b'{"model": "\xc0\x80"}',
    b'{"model": "\\ud800", "n": NaN}',
    VALID.decode().encode("utf-16"),
    VALID.decode().encode("utf-32"),
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b'{"messages": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"n": 1' + b"0" * 5000 + b"}",
    b"model=test-model&messages=Hi",
    b"<xml/>",
]


@pytest.mark.parametrize("path", [CHAT, TEXT])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:20]))
async def test_what_is_no_json_object(app: FastAPI, path: str, body: bytes) -> None:
    response = await refused(app, path, body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, None)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("temperature", "1e999"),
        ("temperature", "-1e999"),
        ("top_p", "1e999"),
        ("n", "1e999"),
        ("n", "1e30"),
        ("max_tokens", "-1e999"),
        ("seed", "1e999"),
        ("frequency_penalty", "1e999"),
    ],
)
async def test_numbers_out_of_any_range(app: FastAPI, name: str, number: str) -> None:
    response = await refused(app, CHAT, VALID[:-1] + f', "{name}": {number}}}'.encode())
    assert (response.status_code, response.json()["error"]["param"]) == (400, name)


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"content-type": "text/plain"}, VALID, 415),
        ({"content-type": ""}, VALID, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, VALID, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, VALID, 415),
        ({"content-type": "application/jsonp"}, VALID, 415),
        ({"content-encoding": "gzip"}, VALID, 415),
        ({"content-encoding": "br"}, VALID, 415),
        ({}, b" " * 1_000_001, 413),
        ({}, encoded(request_body(messages=[{"role": "user", "content": "x" * 1_000_000}])), 413),
    ],
)
@pytest.mark.parametrize("path", [CHAT, TEXT])
async def test_other_media_types_and_sizes(
    app: FastAPI, path: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    response = await refused(app, path, content, **headers)
    assert (response.status_code, response.json()["error"]["param"]) == (status, None)
