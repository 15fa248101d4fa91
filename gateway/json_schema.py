"""Walking through JSON Schemas that come from outside: their parts, references and values. Pure.

`schema_check` holds values against them.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

__all__ = [
    "InvalidSchema",
    "Schema",
    "distinct",
    "inner_schemas",
    "map_schema",
    "parts_of",
    "references",
    "references_of",
    "resolve",
    "value_key",
]

Schema: TypeAlias = dict[str, Any]

# keywords of which the value is a schema, a list of schemas, or a mapping of schemas
_ONE: Final = frozenset(
    ("items", "additionalItems", "additionalProperties", "propertyNames", "contains", "not", "if",
     "then", "else", "unevaluatedItems", "unevaluatedProperties", "contentSchema"),
)  # fmt: skip
_LIST: Final = frozenset(("anyOf", "oneOf", "allOf", "prefixItems", "items"))
_MAPPING: Final = frozenset(
    ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
)

_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")


class InvalidSchema(ValueError):
    """An invalid JSON Schema, or one with a reference that leads nowhere: the problem and its place."""


def map_schema(schema: Mapping[str, Any], change: Callable[[Schema], Schema]) -> Schema:
    """A copy in which `change` was applied to every schema within the schema, inner ones first."""

    def inner(value: Any) -> Any:  # noqa: ANN401
        return map_schema(value, change) if isinstance(value, Mapping) else value

    copy: Schema = {}
    for key, value in schema.items():
        if key in _MAPPING and isinstance(value, Mapping):
            copy[key] = {name: inner(item) for name, item in value.items()}
        elif key in _LIST and isinstance(value, list):
            copy[key] = [inner(item) for item in value]
        else:
            copy[key] = inner(value) if key in _ONE else value
    return change(copy)


def parts_of(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every schema within the schema, itself first; definitions included, references not followed."""
    left: list[Mapping[str, Any]] = [schema]
    while left:
        part = left.pop()
        yield part
        left += inner_schemas(part)


def inner_schemas(part: Mapping[str, Any], *, defined: bool = True) -> list[Mapping[str, Any]]:
    """The schemas directly within one; those that are only `defined` there, or not."""
    found: list[Any] = []
    for key, value in part.items():
        if key in _MAPPING and isinstance(value, Mapping):
            if defined or key not in {"$defs", "definitions"}:
                found += value.values()
        elif key in _LIST and isinstance(value, list):
            found += value
        elif key in _ONE:
            found.append(value)
    return [value for value in found if isinstance(value, Mapping)]


def distinct(values: Sequence[Any]) -> list[Any]:
    """The JSON values without repetitions, in their order; in linear time."""
    found: dict[Hashable, Any] = {}
    for value in values:
        found.setdefault(value_key(value), value)
    return list(found.values())


def value_key(value: Any) -> Hashable:  # noqa: ANN401
    """Equal for equal JSON values: 1 and 1.0 are equal, true and 1 are not."""
    match value:
        case bool():
            return ("boolean", value)
        case dict():
            return frozenset((name, value_key(item)) for name, item in value.items())
        case list():
            return tuple(value_key(item) for item in value)
        case _:
            key: Hashable = value
            return key


def references(schema: Mapping[str, Any]) -> list[str]:
    """Every `$ref` in the schema, and the keywords of other dialects that are like it."""
    return [reference for part in parts_of(schema) for reference in references_of(part)]


def references_of(part: Mapping[str, Any]) -> list[str]:
    """The references of one schema, without those within it."""
    given = (part.get(keyword) for keyword in _REFERENCES)
    return [reference for reference in given if isinstance(reference, str)]


def resolve(schema: Mapping[str, Any], reference: str) -> Any:  # noqa: ANN401
    """The schema that `#/a/pointer` leads to (RFC 6901). Raises `InvalidSchema`."""
    if not reference.startswith("#"):
        raise InvalidSchema(f"it refers to {reference!r}, which is outside it")
    if reference[1:2] not in ("", "/"):
        raise InvalidSchema(f"it refers to {reference!r}, which is not a JSON pointer")
    found: Any = schema
    try:
        for step in _steps(reference):
            found = found[int(step)] if isinstance(found, list) else found[step]
    except (LookupError, ValueError, TypeError):
        raise InvalidSchema(f"it refers to {reference!r}, which does not exist") from None
    if not isinstance(found, Mapping | bool):
        raise InvalidSchema(f"it refers to {reference!r}, which is not a schema")
    return found


def _steps(reference: str) -> Iterator[str]:
    for step in unquote(reference).split("/")[1:]:
        yield step.replace("~1", "/").replace("~0", "~")
