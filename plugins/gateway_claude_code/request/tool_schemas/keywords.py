"""The value of each keyword in draft 2020-12, from the spellings of other dialects. Pure.

json-schema.org/draft/2020-12: the vocabularies core, applicator, validation, meta-data, content.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from gateway_claude_code.request.tool_schemas.type_names import typed

JsonValue: TypeAlias = Any

UNUSABLE: Final = object()
"""In place of a value that can't be repaired: the keyword is left out."""

ONE_SCHEMA: Final = frozenset(
    ("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items",
     "not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"),
)  # fmt: skip
SCHEMAS: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
NAMED_SCHEMAS: Final = frozenset(
    ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties"),
)

# json-schema.org/draft/2020-12/json-schema-core, 8.2.1: `$id` must not have a fragment, but for
# an empty one; 8.2.2: the form of an anchor
_ID: Final = re.compile(r"[^#]*#?")
_ANCHOR: Final = re.compile(r"[A-Za-z_][-A-Za-z0-9._]*")
_FLAGS: Final = {"true": True, "false": False}


def repaired_value(keyword: str, value: JsonValue) -> JsonValue:
    """The value, or `UNUSABLE`. Inner schemas and the values of unknown keywords stay unchanged."""
    repair = _REPAIRS.get(keyword)
    return value if repair is None else repair(value)


def _words(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return value
        case None:
            return UNUSABLE
        case [*lines] if all(isinstance(line, str) for line in lines):
            return "\n".join(lines)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _string(value: JsonValue) -> JsonValue:
    return value if isinstance(value, str) else UNUSABLE


def _matching(pattern: re.Pattern[str]) -> Callable[[JsonValue], JsonValue]:
    def repair(value: JsonValue) -> JsonValue:
        return value if isinstance(value, str) and pattern.fullmatch(value) else UNUSABLE

    return repair


def _number(value: JsonValue) -> JsonValue:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    # `minLength: "3"`: one such value costs the whole tool in 2.1.330
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}(\.\d{1,18})?\s*", value):
        return float(value) if "." in value else int(value)
    return UNUSABLE


def _count(value: JsonValue) -> JsonValue:
    number = _number(value)
    return number if number is not UNUSABLE and number >= 0 and number % 1 == 0 else UNUSABLE


def _step(value: JsonValue) -> JsonValue:
    number = _number(value)
    return number if number is not UNUSABLE and number > 0 else UNUSABLE


def _limit(value: JsonValue) -> JsonValue:
    """The value of `exclusiveMinimum` or `exclusiveMaximum`, which are booleans in draft 4."""
    return value if isinstance(value, bool) else _number(value)


def _flag(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _FLAGS.get(value.strip().lower(), UNUSABLE)
    return value if isinstance(value, bool) else UNUSABLE


def _names(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return [value]
        case Mapping():  # {"city": true}
            return [name for name, wanted in value.items() if wanted is True]
        case [*names]:
            return list(dict.fromkeys(name for name in names if isinstance(name, str)))
        case _:
            return UNUSABLE


def _lists_of_names(value: JsonValue) -> JsonValue:
    if not isinstance(value, Mapping):
        return UNUSABLE
    lists = {name: _names(names) for name, names in value.items()}
    return {name: names for name, names in lists.items() if names is not UNUSABLE}


def _list(value: JsonValue) -> JsonValue:
    match value:
        case None:  # `enum: null`: 2.1.330 drops the tool
            return UNUSABLE
        case list():
            return value
        case Mapping():
            return list(value.values())
        case _:
            return [value]


def _schema(value: JsonValue) -> JsonValue:
    match value:
        case bool() | Mapping():
            return value
        case str() if (flag := _flag(value)) is not UNUSABLE:
            return flag
        case str():
            keywords = typed(value)
            return UNUSABLE if keywords is None else keywords
        case _:
            return UNUSABLE


def _items(value: JsonValue) -> JsonValue:
    return value if isinstance(value, list) else _schema(value)


def _entry(value: JsonValue) -> JsonValue:
    """One of several schemas. A null means the type of that name: YAML reads it as a value."""
    return {"type": "null"} if value is None or value == {"type": None} else _schema(value)


def _schemas(value: JsonValue) -> JsonValue:
    entries = [value] if isinstance(value, Mapping) else value
    if not isinstance(entries, list):
        return UNUSABLE
    usable = [entry for entry in map(_entry, entries) if entry is not UNUSABLE]
    return usable or UNUSABLE


def _named_schemas(value: JsonValue) -> JsonValue:
    """Schemas by name; some generators write a list of schemas with their names."""
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        return UNUSABLE
    return {
        item["name"]: {key: inner for key, inner in item.items() if key != "name"}
        for item in value
        if isinstance(item.get("name"), str)
    } or UNUSABLE


def _vocabulary(value: JsonValue) -> JsonValue:
    usable = isinstance(value, Mapping) and all(isinstance(item, bool) for item in value.values())
    return value if usable else UNUSABLE


_REPAIRS: Final[Mapping[str, Callable[[JsonValue], JsonValue]]] = {
    **dict.fromkeys(("title", "description", "$comment"), _words),
    **dict.fromkeys(("format", "pattern", "contentEncoding", "contentMediaType", "$ref",
                     "$dynamicRef", "$schema"), _string),
    **dict.fromkeys(("$anchor", "$dynamicAnchor"), _matching(_ANCHOR)),
    **dict.fromkeys(("minimum", "maximum"), _number),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), _limit),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties",
                     "maxProperties", "minContains", "maxContains"), _count),
    **dict.fromkeys(("multipleOf", "divisibleBy"), _step),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), _flag),
    **dict.fromkeys(("enum", "examples"), _list),
    **dict.fromkeys(ONE_SCHEMA, _schema),
    **dict.fromkeys(SCHEMAS, _schemas),
    **dict.fromkeys(NAMED_SCHEMAS, _named_schemas),
    "$id": _matching(_ID),
    "$vocabulary": _vocabulary,
    "items": _items,
    # `"required": null` in one tool makes 2.1.330 drop all of them
    "required": _names,
    "dependentRequired": _lists_of_names,
}  # fmt: skip
