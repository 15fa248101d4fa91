"""JSON as it is sent: compact, and readable for every client."""

import json
import re
from typing import Final

_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ascii = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode

_UNSAFE: Final = re.compile("[\x85\u2028\u2029\ud800-\udfff]")
"""Halves of surrogate pairs have no UTF-8, and at the others naive readers of lines break lines."""


def dump(value: object) -> bytes:
    """`value` in JSON, in UTF-8. Falls back to escapes where the plain text would do harm."""
    text = _plain(value)
    if not text.isascii() and _UNSAFE.search(text):
        text = _ascii(value)
    return text.encode()
