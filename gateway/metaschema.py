"""Whether a schema is a valid one of its dialect, at a few microseconds for each of its parts.

The library's own check follows the dialect's schema of schemas, which takes about half a
millisecond for each part: seconds for a large schema of a client. Here each part is held against
a table first, and the library checks only those parts of which the table is not sure.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import jsonschema
from jsonschema.exceptions import SchemaError

Schema: TypeAlias = dict[str, Any]
_Step: TypeAlias = str | int

_TYPES: Final = frozenset(
    ("object", "array", "string", "integer", "number", "boolean", "null"),
)


def first_problem(schema: Schema, dialect: Any) -> SchemaError | None:  # noqa: ANN401
    """What is wrong with a schema, with its place in `path`; None for a valid one."""
    if dialect not in _SHAPES:
        return _by_library(schema, dialect)
    shapes = _SHAPES[dialect]
    left: list[tuple[tuple[_Step, ...], Schema]] = [((), schema)]
    while left:
        place, part = left.pop()
        if not all(shapes[key](value) for key, value in part.items() if key in shapes):
            error = _by_library(_alone(part, shapes), dialect)
            if error is not None:
                error.path.extendleft(reversed(place))
                return error
        inner = [(key, step) for key in part if key in shapes for step in _inner(shapes, part, key)]
        left += [((*place, key, *steps), value) for key, (steps, value) in reversed(inner)]
    return None


def is_well_formed(keyword: str, value: object) -> bool:
    """Whether a value is surely right for a keyword in those dialects that know it.

    A dialect leaves unchecked what it does not know: `{"prefixItems": 3}` is valid in draft 7.
    """
    return keyword not in _EVERY_SHAPE or _EVERY_SHAPE[keyword](value)


def _by_library(schema: Schema, dialect: Any) -> SchemaError | None:  # noqa: ANN401
    try:
        dialect.check_schema(schema, format_checker=None)
    except SchemaError as error:
        return error
    return None


# -- the values of keywords ---------------------------------------------------------------


def _is_schema(value: object) -> bool:
    return isinstance(value, dict | bool)


def _are_schemas(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_schema, value))


def _are_named_schemas(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _is_schema_or_are_schemas(value: object) -> bool:
    return _is_schema(value) or _are_schemas(value)


def _is_string(value: object) -> bool:
    return isinstance(value, str)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_step(value: Any) -> bool:  # noqa: ANN401
    return _is_number(value) and value > 0


def _is_count(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_string, value)) and len(set(value)) == len(value)


def _are_required(value: object) -> bool:
    return isinstance(value, dict) and all(map(_are_names, value.values()))


def _are_dependencies(value: object) -> bool:
    return isinstance(value, dict) and all(
        _is_schema(item) or _are_names(item) for item in value.values()
    )


def _is_type(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, str):
        return value in _TYPES
    return _are_names(value) and bool(value) and _TYPES.issuperset(value)


def _anything(_: object) -> bool:
    return True


def _never_sure(_: object) -> bool:
    return False


_Shape: TypeAlias = Callable[[Any], bool]

_SINCE_7: Final[Mapping[str, _Shape]] = {
    **dict.fromkeys(("$ref", "$comment", "title", "description", "format", "pattern",
                     "contentEncoding", "contentMediaType"), _is_string),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties",
                     "maxProperties"), _is_count),
    **dict.fromkeys(("additionalProperties", "propertyNames", "contains", "not", "if", "then",
                     "else"), _is_schema),
    **dict.fromkeys(("anyOf", "oneOf", "allOf"), _are_schemas),
    **dict.fromkeys(("properties", "patternProperties", "definitions"), _are_named_schemas),
    **dict.fromkeys(("uniqueItems", "readOnly", "writeOnly"), _is_boolean),
    **dict.fromkeys(("default", "const"), _anything),
    **dict.fromkeys(("enum", "examples"), _is_list),
    "multipleOf": _is_step,
    "type": _is_type,
    "required": _are_names,
    "dependencies": _are_dependencies,
    **dict.fromkeys(("$schema", "$id"), _never_sure),
}  # fmt: skip

_SINCE_2019: Final[Mapping[str, _Shape]] = {
    **_SINCE_7,
    "$defs": _are_named_schemas,
    "dependentSchemas": _are_named_schemas,
    "dependentRequired": _are_required,
    "unevaluatedItems": _is_schema,
    "unevaluatedProperties": _is_schema,
    "contentSchema": _is_schema,
    "minContains": _is_count,
    "maxContains": _is_count,
    "deprecated": _is_boolean,
    "$recursiveRef": _is_string,
    **dict.fromkeys(("$vocabulary", "$anchor", "$recursiveAnchor"), _never_sure),
}

_WITH_LISTS_OF_ITEMS: Final[Mapping[str, _Shape]] = {
    "items": _is_schema_or_are_schemas,
    "additionalItems": _is_schema,
}

_SHAPES: Final[Mapping[Any, Mapping[str, _Shape]]] = {
    jsonschema.Draft7Validator: {**_SINCE_7, **_WITH_LISTS_OF_ITEMS},
    jsonschema.Draft201909Validator: {
        **_SINCE_2019,
        **_WITH_LISTS_OF_ITEMS,
    },
    jsonschema.Draft202012Validator: {
        **_SINCE_2019,
        "items": _is_schema,
        "prefixItems": _are_schemas,
        "$dynamicRef": _is_string,
        "$dynamicAnchor": _never_sure,
    },
}
"""For each keyword of a dialect: whether a value is surely right. Other keywords take anything."""

_EVERY_SHAPE: Final[Mapping[str, _Shape]] = {
    **_SHAPES[jsonschema.Draft202012Validator],
    **_WITH_LISTS_OF_ITEMS,
}


# -- the schemas within a schema ----------------------------------------------------------


def _inner(
    shapes: Mapping[str, _Shape], part: Schema, key: str
) -> Iterator[tuple[tuple[_Step, ...], Schema]]:
    """The schemas that a keyword holds, with the way to each from the keyword."""
    value, shape = part[key], shapes[key]
    if shape in (_is_schema, _is_schema_or_are_schemas) and isinstance(value, dict):
        yield (), value
    elif shape in (_are_schemas, _is_schema_or_are_schemas) and isinstance(value, list):
        yield from (((index,), item) for index, item in enumerate(value) if isinstance(item, dict))
    elif shape in (_are_named_schemas, _are_dependencies) and isinstance(value, dict):
        yield from (((name,), item) for name, item in value.items() if isinstance(item, dict))


def _alone(part: Schema, shapes: Mapping[str, _Shape]) -> Schema:
    """The part with an empty schema for each within it."""
    copy = dict(part)
    for key in part.keys() & shapes.keys():
        for steps, _ in _inner(shapes, part, key):
            if not steps:
                copy[key] = {}
                continue
            if copy[key] is part[key]:
                copy[key] = part[key].copy()
            copy[key][steps[0]] = {}
    return copy
