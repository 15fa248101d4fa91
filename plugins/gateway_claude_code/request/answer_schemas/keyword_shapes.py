"""The form of each JSON Schema keyword's value. Pure.

A dialect does not check the keywords that it does not know: `{"prefixItems": 3}` is valid in draft 7.
To translate a schema, all have to be checked (json-schema.org/draft/2020-12/json-schema-validation).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

_TYPES: Final = frozenset(
    ("object", "array", "string", "integer", "number", "boolean", "null"),
)


def is_well_formed(keyword: str, value: object) -> bool:
    """Whether a value is right for a keyword in the dialects that define it; other keywords take any."""
    return keyword not in _SHAPES or _SHAPES[keyword](value)


def _is_schema(value: object) -> bool:
    # a boolean is a schema since draft 6 (json-schema.org/draft/2020-12/json-schema-core, 4.3.2)
    return isinstance(value, dict | bool)


def _are_schemas(value: object) -> bool:
    # "MUST be a non-empty array" (json-schema.org/draft/2020-12/json-schema-core, 10.2.1)
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
    # `multipleOf`: "strictly greater than 0" (json-schema.org/draft/2020-12/json-schema-validation)
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


_Shape: TypeAlias = Callable[[Any], bool]

_SHAPES: Final[Mapping[str, _Shape]] = {
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
    **dict.fromkeys(("$defs", "dependentSchemas"), _are_named_schemas),
    **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties", "contentSchema",
                     "additionalItems"), _is_schema),
    **dict.fromkeys(("minContains", "maxContains"), _is_count),
    **dict.fromkeys(("$recursiveRef", "$dynamicRef"), _is_string),
    "dependentRequired": _are_required,
    "deprecated": _is_boolean,
    "items": _is_schema_or_are_schemas,
    "prefixItems": _are_schemas,
}  # fmt: skip
