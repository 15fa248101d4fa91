"""The limits that a grammar cannot express, as sentences for the model. Pure.

As the API's own SDKs do it: "Update descriptions with constraint info"
(platform.claude.com/docs/en/build-with-claude/structured-outputs, "How SDK transformation works").
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from gateway.json_schema import Schema

FORMATS: Final = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"),
)
"""The string formats of platform.claude.com/docs/en/build-with-claude/structured-outputs."""

_SENTENCES: Final[dict[str, dict[str, str]]] = {
    "string": {
        "minLength": "Length: at least {}.",
        "maxLength": "Length: at most {}.",
        "pattern": "Must match the pattern {}",
        "format": "Format: {}.",
        "contentEncoding": "Content encoding: {}.",
        "contentMediaType": "Content type: {}.",
    },
    "number": {
        "minimum": "Must be at least {}.",
        "exclusiveMinimum": "Must be greater than {}.",
        "maximum": "Must be at most {}.",
        "exclusiveMaximum": "Must be less than {}.",
        "multipleOf": "Must be a multiple of {}.",
    },
    "array": {
        "minItems": "Number of items: at least {}.",
        "maxItems": "Number of items: at most {}.",
        "contains": "Must contain an item that matches {}",
        "minContains": "At least {} of these.",
        "maxContains": "At most {} of these.",
    },
    "object": {
        "minProperties": "Number of properties: at least {}.",
        "maxProperties": "Number of properties: at most {}.",
        "dependentRequired": "Properties that require others: {}",
        "dependentSchemas": "Properties with conditions: {}",
        "dependencies": "Properties that require others: {}",
    },
}
_ANY_TYPE: Final = {
    "not": "Must not match {}",
    "default": "Default: {}.",
    "examples": "Examples: {}",
}

_LARGEST_SAFE: Final = 2**53 - 1
"""Libraries give this as the limit of every integer, which tells a model nothing."""

_SIMPLE_PATTERN: Final = re.compile(
    r"\^?(?:(?:[^\\()\[\]{}|^$*+?]|\\[dws]|\\[\\.*+?()\[\]{}|/^$-]|\((?!\?)|\)"
    r"|\[\^?(?:[^\\\[\]^]|\\[dws\\.*+?()\[\]{}|/^$-])+\])"
    r"(?:[*+?]|\{(?P<least>\d{1,2})(?:,(?P<most>\d{0,2}))?\})?)*\$?"
)
"""The features that the page lists as "Pattern support": anchors around the whole, `* + ? {n,m}`,
classes, `\\d \\w \\s`, groups. Alternatives (`|`) are not in its list."""


def is_simple_pattern(pattern: str) -> bool:
    """Whether the pattern uses only what the API documents for its grammars."""
    if not _SIMPLE_PATTERN.fullmatch(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def words(part: Schema, kind: str, *, without: Collection[str] = ()) -> Iterator[str]:
    """A sentence for each limit that is relevant for this type, except those in `without`."""
    sentences = _SENTENCES.get("number" if kind == "integer" else kind, {})
    for key, sentence in (sentences | _ANY_TYPE).items():
        if key in part and key not in without and not _says_nothing(key, part[key]):
            yield sentence.format(_shown(part[key]))
    if kind == "array" and part.get("uniqueItems") is True:
        yield "Items must be unique."
    if "if" in part:
        condition = {key: part[key] for key in ("if", "then", "else") if key in part}
        yield f"Condition: {_shown(condition)}"


def _says_nothing(key: str, value: Any) -> bool:  # noqa: ANN401
    if key in ("minLength", "minItems", "minProperties"):
        return bool(value == 0)
    if key in ("minimum", "maximum") and isinstance(value, int):
        return abs(value) >= _LARGEST_SAFE
    return key == "default" and value is None


def _shown(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
