"""JSON as it is sent: compact, and readable for every client."""

import json
import re
from typing import Final

from gateway.surrogates import whole_characters

_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ascii = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode

_UNSAFE: Final = re.compile("[\x85\u2028\u2029]")
"""Where naive readers of lines break lines."""


def dump(value: object) -> bytes:
    """`value` in JSON, in UTF-8. Falls back to escapes where the plain text would do harm.

    Halves of characters, which many clients can't read even as escapes, become U+FFFD.
    """
    text = _plain(value)
    if text.isascii():
        return text.encode()
    if (whole := whole_characters(text)) is not text:
        return dump(json.loads(whole))
    return (_ascii(value) if _UNSAFE.search(text) else text).encode()
