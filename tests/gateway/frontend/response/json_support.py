"""Texts that are hard to write as JSON, and how `json` itself writes them."""

import json
from typing import Any

from hypothesis import strategies as st

from gateway.content.surrogates import whole_characters

HARMFUL = "\x85\u2028\u2029"
"""Line breaks to naive readers of lines; halves of surrogate pairs, the other harm, are replaced."""


def by_json(value: Any) -> bytes:
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if any("\ud800" <= character <= "\udfff" for character in plain):
        return by_json(json.loads(whole_characters(plain)))
    for character in HARMFUL:
        plain = plain.replace(character, json.dumps(character)[1:-1])
    return plain.encode()


texts = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    ["\u2028", "\u2029", "\x85", "\ud83d", "a\udc00b", "\0\x1f\x7f", "😀é日", '"\\/']
)
