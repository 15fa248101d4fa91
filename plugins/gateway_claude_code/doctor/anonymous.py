"""Removes the author's identity from a text for a public issue."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from gateway.secrets.scrubbing import scrub

OURS: Final = frozenset({"claude", "dragoman", "root", "python", "node", "user"})
"""User names that are words of the report, and identify nobody."""
_SHORTEST: Final = 3
_HOMES: Final = re.compile(r"/(home|Users)/[^/\s:;,'\"]+")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def anonymous(text: str, environ: Mapping[str, str], host: str) -> str:
    """The text without secrets, home folders, the user's name, the machine's and mail addresses."""
    text = scrub(text)
    for home in sorted(set(_homes(environ)), key=len, reverse=True):
        text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
    text = _HOMES.sub(r"/\1/USER", _MAIL.sub("MAIL", text))
    for name in {environ.get("USER"), environ.get("LOGNAME"), Path(environ.get("HOME", "")).name}:
        text = _without(name, "USER", text)
    return _without(host.partition(".")[0], "HOST", _without(host, "HOST", text))


def _homes(environ: Mapping[str, str]) -> Iterator[str]:
    if len(home := environ.get("HOME", "").rstrip("/")) > 1:
        yield home
        yield os.path.realpath(home)  # macOS has /var behind /private/var


def _without(name: str | None, instead: str, text: str) -> str:
    if name is None or len(name) < _SHORTEST or name.lower() in OURS:
        return text
    return re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", instead, text)
