"""Text that leaves the gateway, to a log or to a client, goes out without secrets.

`redaction` knows what secrets look like. Those that stand in the gateway's own environment are
known exactly, whatever they look like. They are looked up each time: nothing is kept of them.
"""

import os
import re
from collections.abc import Iterator
from typing import Final

from gateway.secrets.patterns import redact

_NAMES: Final = re.compile(
    r"(KEY|KEY_ID|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE
)
"""How the names of variables end that hold a secret."""

_SHORTEST: Final = 8
"""Characters: shorter values, such as "none", stand in ordinary text as well."""


def scrub(text: str) -> str:
    """The text without keys, tokens and the like."""
    for value in _own_secrets():
        if value in text:
            text = text.replace(value, "[redacted]")
    return redact(text)


def _own_secrets() -> Iterator[str]:
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and _NAMES.search(name):
            yield value
