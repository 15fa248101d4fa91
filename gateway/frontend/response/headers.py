"""The headers of an answer that are Dragoman's own."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

MAX_IGNORED: Final = 1000
"""Characters of `x-dragoman-ignored`: the names are the client's, and may be many."""

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES: Final = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")
_NOT_IN_LISTS: Final = re.compile(r"[^\x21-\x2b\x2d-\x7e]")


def answer_headers(
    model: str | None, ignored: Iterable[str], others: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """`x-dragoman-model` (the one that really answers), `x-dragoman-ignored`, and the plugins' own.

    Only what RFC 9110 allows in a header goes in; other characters become question marks.
    """
    headers = {
        name.lower(): _NOT_IN_VALUES.sub("?", value).strip()
        for given in others
        for name, value in given.items()
        if _TOKEN.fullmatch(name)
    }
    if model:
        headers["x-dragoman-model"] = _NOT_IN_VALUES.sub("?", model).strip()
    if names := list_value(ignored):
        headers["x-dragoman-ignored"] = names
    return headers


def list_value(names: Iterable[str]) -> str:
    """Names joined by commas, each once, cut at `MAX_IGNORED` characters."""
    joined = ",".join(dict.fromkeys(_NOT_IN_LISTS.sub("?", name) or "?" for name in names))
    return joined if len(joined) <= MAX_IGNORED else f"{joined[:MAX_IGNORED]}..."
