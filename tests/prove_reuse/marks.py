"""Secrets: words that occur once, and the places where they are found again. Pure."""

import base64
import binascii
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, Final

FORM: Final = re.compile(r"zq(\d+)x\d+z")
BYTES: Final = re.compile(rb"zq\d+x\d+z")
LONG_BASE64: Final = re.compile(r"[A-Za-z0-9+/=]{40,}")


class Secrets:
    """Makes the secrets of one caller, each once."""

    def __init__(self, caller: int) -> None:
        self._caller = caller
        self._count = 0

    def new(self) -> str:
        """One more."""
        self._count += 1
        return f"zq{self._caller}x{self._count}z"


def caller_of(secret: str) -> int:
    """The number of the caller whose secret it is."""
    found = FORM.fullmatch(secret)
    assert found is not None
    return int(found[1])


def secrets_in(value: object) -> list[str]:
    """All secrets in a value of any depth, in order, also those within base64."""
    return [secret for text in _texts(value) for secret in _in_text(text)]


def _in_text(text: str) -> Iterator[str]:
    yield from (found[0] for found in FORM.finditer(text))
    for found in LONG_BASE64.finditer(text):
        try:
            data = base64.b64decode(found[0], validate=True)
        except binascii.Error:
            continue
        yield from (inner[0].decode() for inner in BYTES.finditer(data))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _texts(asdict(value))


def newest(messages: object, known: Container[str]) -> str | None:
    """The last of the known secrets that a user's message holds."""
    if not isinstance(messages, list):
        return None
    for message in reversed(messages):
        if message.get("role") == "user":
            for secret in reversed(secrets_in(message.get("content"))):
                if secret in known:
                    return secret
    return None
