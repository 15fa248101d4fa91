"""The model's thinking in `encrypted_content`, so that clients can carry it. Pure.

Nothing in it is secret or trusted: the signature is the model's API's own, which refuses thinking that
was changed (platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting). Clients treat
the text as opaque.
"""

import base64
import json
from typing import Final

from gateway.types import Thinking

PREFIX: Final = "dragoman1."
"""Whose it is, and its version."""


def sealed(thinking: Thinking) -> str | None:
    """`encrypted_content` of signed thinking; None without a signature."""
    if thinking.signature is None:
        return None
    text = json.dumps([thinking.text, thinking.signature], ensure_ascii=False)
    return PREFIX + base64.b64encode(text.encode(errors="replace")).decode("ascii")


def opened(encrypted_content: str) -> Thinking | None:
    """The thinking in `encrypted_content`; None if it is not ours, or was cut off."""
    if not encrypted_content.startswith(PREFIX):
        return None
    try:
        text = base64.b64decode(encrypted_content[len(PREFIX) :], validate=True)
        match json.loads(text):
            case [str(said), str(signature)]:
                return Thinking(text=said, signature=signature)
    except (ValueError, RecursionError):
        pass
    return None
