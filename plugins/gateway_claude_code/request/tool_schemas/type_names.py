"""The names of JSON types in other dialects and languages. Pure."""

from collections.abc import Mapping
from typing import Any, Final

TYPES: Final = frozenset(
    ("object", "array", "string", "integer", "number", "boolean", "null"),
)
"""json-schema.org/draft/2020-12/json-schema-core, 4.2.1, "Instance Data Model"."""

_ANYTHING: Final = frozenset(
    ("", "any", "mixed", "unknown", "*", "json", "type_unspecified", "undefined"),
)
"""`any` is of draft 3; `TYPE_UNSPECIFIED` is Gemini's (ai.google.dev/api/caching#Type)."""

_OTHER_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("dict", "dictionary", "map", "record", "hash", "struct", "mapping"), "object"),
    **dict.fromkeys(("list", "tuple", "set", "sequence"), "array"),
    **dict.fromkeys(("str", "text", "char", "varchar", "bytes", "binary", "file"), "string"),
    **dict.fromkeys(("int", "int32", "int64", "long", "short", "bigint"), "integer"),
    **dict.fromkeys(("float", "double", "decimal", "float32", "float64"), "number"),
    **dict.fromkeys(("bool",), "boolean"),
    **dict.fromkeys(("none", "nil"), "null"),
}
_FORMATS: Final[Mapping[str, str]] = {
    "date": "date",
    "time": "time",
    "datetime": "date-time",
    "date-time": "date-time",
    "timestamp": "date-time",
    "uuid": "uuid",
    "uri": "uri",
    "url": "uri",
    "email": "email",
}
"""Names of formats in place of a type: their values are strings."""

_LONGEST: Final = 200
"""Characters of a name that is interpreted: each `[]` in it is one more level."""


def typed(name: str) -> dict[str, Any] | None:
    """The keywords for a type's name: `INTEGER`, `date`, `string[]`, `a | null`.

    Empty for a name that allows anything; None for an unknown name.
    """
    plain = name.strip().lower()
    if len(plain) > _LONGEST:
        return None
    if plain in TYPES:
        return {"type": plain}
    if plain in _ANYTHING:
        return {}
    if plain in _OTHER_NAMES:
        return {"type": _OTHER_NAMES[plain]}
    if plain in _FORMATS:
        return {"type": "string", "format": _FORMATS[plain]}
    if plain.endswith("[]"):
        items = typed(plain[:-2])
        return None if items is None else {"type": "array", **({"items": items} if items else {})}
    if "|" in plain:
        return _one_of_several(plain.split("|"))
    return None


def _one_of_several(names: list[str]) -> dict[str, Any] | None:
    found = [typed(name) for name in names]
    kinds = [keywords["type"] for keywords in found if keywords and keywords.keys() == {"type"}]
    if len(kinds) < len(names):
        return {} if {} in found else None
    return {"type": list(dict.fromkeys(kinds))}
