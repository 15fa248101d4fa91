"""The subset of JSON Schema that the API can enforce. Pure.

platform.claude.com/docs/en/build-with-claude/structured-outputs, "JSON Schema limitations". It is the
same for `output_config.format` and for tools with `strict: true`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

MOST_OPTIONAL: Final = 24
MOST_UNIONS: Final = 16
FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
NUMERIC: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)
REFUSED_BY_TYPE: Final[Mapping[str, frozenset[str]]] = {
    "integer": NUMERIC,
    "number": NUMERIC,
    "string": frozenset({"minLength", "maxLength"}),
    "array": frozenset({"maxItems", "uniqueItems", "contains", "prefixItems"}),
    "object": frozenset({"patternProperties", "propertyNames", "minProperties", "maxProperties"}),
}
REFUSED_ANYWHERE: Final = ("oneOf", "not", "if", "dependentSchemas", "dependentRequired")
SAYS_WHAT: Final = ("type", "enum", "const", "anyOf", "allOf", "$ref")
"""A schema needs one of these: one that allows anything can't be enforced."""
REFUSED_PATTERN: Final = re.compile(r"\(\?[=!<]|\\[1-9]|\\[bB]")
"""Lookarounds, references to groups and word boundaries."""


def fault(schema: Schema) -> str | None:
    """The first part of the schema outside the subset, in the API's words."""
    if (circle := _circle(schema)) is not None:
        return f"Circular reference detected in schema definitions: {circle}"
    parts = list(_parts(schema))
    for part in parts:
        if (found := _fault_of(part)) is not None:
            return found
    return _too_complex(parts)


def optional_parameters(schema: Schema) -> int:
    """The number of optional properties, at all depths."""
    return sum(_optional(part) for part in _parts(schema))


def _fault_of(schema: Schema) -> str | None:
    """The fault of one schema, without those inside it."""
    for keyword in REFUSED_ANYWHERE:
        if keyword in schema:
            return f"'{keyword}' is not supported"
    if not any(keyword in schema for keyword in SAYS_WHAT):
        return "Schema type is required"
    reference = schema.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        return f"External $ref '{reference}' is not supported"
    for kind in _types(schema):
        if (found := _fault_of_type(kind, schema)) is not None:
            return found
    values = [*(schema.get("enum") or ()), schema.get("const")]
    if any(isinstance(value, Mapping | list) for value in values):
        return "'enum' values must be strings, numbers, booleans or null"
    return None


def _fault_of_type(kind: str, schema: Schema) -> str | None:
    refused = sorted(schema.keys() & REFUSED_BY_TYPE.get(kind, frozenset()))
    if len(refused) == 1:
        return f"For '{kind}' type, property '{refused[0]}' is not supported"
    if refused:
        return f"For '{kind}' type, properties {', '.join(refused)} are not supported"
    match kind:
        case "object" if schema.get("additionalProperties") is not False:
            return "For 'object' type, 'additionalProperties' must be explicitly set to false"
        case "array" if schema.get("minItems", 0) not in (0, 1):
            return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
        case "string" if schema.get("format", "uuid") not in FORMATS:
            return f"For 'string' type, format '{schema['format']}' is not supported"
        case "string" if REFUSED_PATTERN.search(str(schema.get("pattern", ""))):
            return f"For 'string' type, pattern '{schema['pattern']}' is not supported"
    return None


def _too_complex(parts: list[Schema]) -> str | None:
    optional = sum(_optional(part) for part in parts)
    if optional > MOST_OPTIONAL:
        return (
            f"Schemas contains too many optional parameters ({optional}), which would make "
            "grammar compilation inefficient. Reduce the number of optional parameters in your "
            f"tool schemas (limit: {MOST_OPTIONAL})."
        )
    unions = sum("anyOf" in part or isinstance(part.get("type"), list) for part in parts)
    if unions > MOST_UNIONS:
        return (
            f"Schemas contains too many parameters with union types ({unions} parameters with "
            "type arrays or anyOf). This causes exponential compilation cost. Reduce the number "
            f"of nullable or union-typed parameters (limit: {MOST_UNIONS} parameters with unions)."
        )
    return None


def _optional(schema: Schema) -> int:
    return len(set(schema.get("properties") or ()) - set(schema.get("required") or ()))


def _types(schema: Schema) -> list[str]:
    kind = schema.get("type")
    return [str(one) for one in kind] if isinstance(kind, list) else [str(kind)]


def _parts(schema: object) -> Iterator[Schema]:
    """The schema and all inner ones, including definitions."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for inner in _inside(schema):
        yield from _parts(inner)


def _inside(schema: Schema) -> Iterator[object]:
    for keyword in ("properties", "$defs", "definitions"):
        found = schema.get(keyword)
        yield from found.values() if isinstance(found, Mapping) else ()
    for keyword in ("anyOf", "allOf"):
        yield from schema.get(keyword) or ()
    if "items" in schema:
        yield schema["items"]


def _circle(root: Schema) -> str | None:
    """The definitions that refer to each other in a circle, as "A -> B -> A"."""
    links = {"#": _references(root, skip_definitions=True)}
    for keyword in ("$defs", "definitions"):
        for name, schema in (root.get(keyword) or {}).items():
            links[f"#/{keyword}/{name}"] = _references(schema, skip_definitions=False)

    def walk(name: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
        if name in path:
            return (*path[path.index(name) :], name)
        found = (walk(target, (*path, name)) for target in sorted(links.get(name, ())))
        return next((circle for circle in found if circle), None)

    circle = next((found for name in links if (found := walk(name, ()))), None)
    return " -> ".join(name.rpartition("/")[2] for name in circle) if circle else None


def _references(schema: object, *, skip_definitions: bool) -> set[str]:
    if not isinstance(schema, Mapping):
        return set()
    found = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
    left = (
        {key: value for key, value in schema.items() if key not in ("$defs", "definitions")}
        if skip_definitions
        else schema
    )
    for inner in _inside(left):
        found |= _references(inner, skip_definitions=False)
    return found
