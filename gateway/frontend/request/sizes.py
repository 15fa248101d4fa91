"""How many things a body may hold, counted before anything is made of them. Pure."""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from gateway.config.settings import LimitsConfig
from gateway.errors import InvalidRequest
from gateway.json_schema import parts_of

LimitedThing: TypeAlias = Literal["messages", "parts", "images", "tools", "choices"]
"""A key of `limits` that counts something in a request."""

_NO_MARKS: Final = bytes(set(range(256)) - set(b'",:'))


def exceeds(text: bytes, most: int) -> bool:
    """Whether a JSON text has more than `most` keys and list items.

    They are counted before anything is made of them, at about 4 ms a megabyte.
    """
    return count_values(text, most) > most


def count_values(text: bytes, most: int) -> int:
    """The number of keys and list items of a JSON text, about; `most` + 1 if there are more.

    Counted are the commas and colons outside of its strings.
    """
    found = text.count(b",") + text.count(b":")
    if found <= most:
        return found
    marks = text.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_MARKS)
    # every other piece is a string; each key and item has two quotes at most
    pieces = marks.split(b'"', 4 * most)
    if len(pieces) > 4 * most:
        return most + 1
    return min(sum(map(len, pieces[::2])), most + 1)


def check_depth(value: object, most: int) -> None:
    """Raise `InvalidRequest` for JSON in which more than `most` lists and objects lie in others."""
    level: list[Any] = [value]
    depth = 0
    while level:
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        depth += 1
        if depth > most:
            raise InvalidRequest(
                f"The request body is nested more than {most} levels deep (limits.json_depth)."
            )


def check_schema_size(schema: Mapping[str, Any], limits: LimitsConfig, param: str) -> None:
    """Raise `InvalidRequest` for the schema of an answer that is over one of the limits.

    Counted are the properties of all objects, the values of all enums, and the characters of the
    names of properties and definitions, of enum and const values, and of patterns.
    """
    properties = values = characters = 0
    for part in parts_of(schema):
        for keyword in ("properties", "patternProperties", "$defs", "definitions"):
            names = part.get(keyword)
            if isinstance(names, Mapping):
                properties += len(names) if keyword == "properties" else 0
                characters += sum(map(len, names))
        enum = part.get("enum")
        listed = enum if isinstance(enum, list) else []
        values += len(listed)
        texts = (*listed, part.get("const"), part.get("pattern"))
        characters += sum(len(text) for text in texts if isinstance(text, str))
    for found, key, what in (
        (properties, "schema_properties", "properties"),
        (values, "schema_enum_values", "enum values"),
        (characters, "schema_characters", "characters in names, enum values and patterns"),
    ):
        most: int = getattr(limits, key)
        if found > most:
            raise InvalidRequest(
                f"The schema of the answer has {found} {what}; the limit is {most} (limits.{key}).",
                param=param,
            )


def check_count(
    limits: LimitsConfig,
    key: LimitedThing,
    found: int,
    things: str,
    param: str,
    *,
    advice: str = "",
) -> None:
    """Raise `InvalidRequest` if a request has more of something than `limits` allow under `key`.

    `things` is the plural that the error has for it; `advice` follows it.
    """
    most: int = getattr(limits, key)
    if found > most:
        raise InvalidRequest(
            f"The request has {found} {things}; the limit is {most} (limits.{key}).{advice}",
            param=param,
        )
