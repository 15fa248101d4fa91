"""JSON as it is sent: compact, and readable for every client."""

import json
import re

from pydantic_core import to_json

from gateway.surrogates import whole_characters

_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ascii = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode

_LINE_BREAKS = re.compile(rb"\xc2\x85|\xe2\x80[\xa8\xa9]").search
"""U+0085, U+2028 and U+2029 in UTF-8: naive readers of lines break lines there."""


def dump(value: object) -> bytes:
    """`value` in JSON, in UTF-8. Falls back to escapes where the plain text would do harm.

    Keys are strings. NaN and infinities are written as `json` does. Halves of characters, which
    many clients can't read even as escapes, become U+FFFD. Raises TypeError for what JSON has no
    form for, and ValueError for a value that contains itself.
    """
    try:
        text = to_json(value)
    except ValueError:  # half of a surrogate pair, which has no UTF-8; deeper than pydantic goes
        plain = _plain(value)
        whole = whole_characters(plain)
        return _ascii(value).encode() if whole is plain else dump(json.loads(whole))
    if not text.isascii() and _LINE_BREAKS(text):
        return _ascii(value).encode()
    return text
