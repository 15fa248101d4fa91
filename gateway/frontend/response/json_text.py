"""JSON as it is sent: compact, and readable for every client."""

import json
from collections.abc import Iterator
from typing import Final

from pydantic_core import to_json

from gateway.content.surrogates import whole_characters

_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_LINE_BREAKS: Final = {
    "\u0085".encode(): rb"\u0085",
    "\u2028".encode(): rb"\u2028",
    "\u2029".encode(): rb"\u2029",
}
"""Characters at which naive readers of lines break lines, and their escapes."""

_PIECE_BYTES: Final = 256 * 1024
_WITHIN: Final = range(0x80, 0xC0)
"""Bytes of a character in UTF-8 that are not its first (RFC 3629, 3)."""


def dump(value: object) -> bytes:
    """`value` in JSON, in UTF-8, with line breaks outside of ASCII as escapes.

    Keys are strings. NaN and infinities are written as `json` does. Halves of characters, which
    many clients can't read even as escapes, become U+FFFD. Raises TypeError for what JSON has no
    form for, and ValueError for a value that contains itself.
    """
    try:
        text = to_json(value)
    except ValueError:  # half of a surrogate pair, which has no UTF-8; deeper than pydantic goes
        plain = _plain(value)
        whole = whole_characters(plain)
        if whole is not plain:
            return dump(json.loads(whole))
        text = plain.encode()
    if text.isascii():
        return text
    if len(text) <= _PIECE_BYTES:
        return _on_one_line(text)
    return b"".join(map(_on_one_line, _pieces(text)))


def _on_one_line(text: bytes) -> bytes:
    for character, escape in _LINE_BREAKS.items():
        text = text.replace(character, escape)
    return text


def _pieces(text: bytes) -> Iterator[bytes]:
    """UTF-8 in pieces of whole characters, as a thread keeps all others waiting for each of them."""
    start = 0
    while start < len(text):
        end = start + _PIECE_BYTES
        while end < len(text) and text[end] in _WITHIN:
            end += 1
        yield text[start:end]
        start = end
