"""Two JSON Schemas merged into one: `allOf`, and keywords beside `$ref`. Pure."""

from collections.abc import Callable
from typing import Any, Final

from gateway.json_schema import Schema, distinct, value_key
from gateway_claude_code.request.answer_schemas.keyword_shapes import is_well_formed

ANNOTATIONS: Final = frozenset(("title", "description", "default", "examples"))
"""Keywords that restrict no value (json-schema.org/draft/2020-12/json-schema-validation, 9)."""

# names and notes of the drafts, and what spec.openapis.org/oas/v3.0.3 adds in its Schema Object
_IGNORED: Final = frozenset(
    ("$schema", "$id", "id", "$anchor", "$comment", "$defs", "definitions", "discriminator",
     "readOnly", "writeOnly", "deprecated", "example", "xml", "externalDocs", "nullable"),
)  # fmt: skip

_STRICTER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "minimum": max,
    "exclusiveMinimum": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "minLength": max,
    "maxLength": min,
    "minItems": max,
    "maxItems": min,
    "minProperties": max,
    "maxProperties": min,
    "uniqueItems": lambda one, other: one or other,
    "required": lambda one, other: distinct([*one, *other]),
}


class NotNative(ValueError):
    """The schema has no equivalent in the subset. The text gives the reason in the client's terms."""


class Never(NotNative):
    """No value is valid for the schema."""


def plain(part: Schema) -> Schema:
    """One schema in the keywords of draft 2020-12: other dialects' are translated or dropped.

    `type` becomes a list, and `const` an `enum` of one value. `nullable` is of OpenAPI 3.0,
    boolean exclusive limits are of draft 4. Malformed keywords are taken for another dialect's.
    """
    said = {
        key: value
        for key, value in part.items()
        if key not in _IGNORED and not key.startswith("x-")
    }
    if isinstance(kind := said.get("type"), str):
        said["type"] = [kind, "null"] if part.get("nullable") is True else [kind]
    if "const" in said:
        value = said.pop("const")
        said["enum"] = [item for item in said.get("enum", [value]) if _equal(item, value)][:1]
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(strict := said.get(exclusive), bool):
            del said[exclusive]
            if strict and limit in said:
                said[exclusive] = said.pop(limit)
    return {key: value for key, value in said.items() if is_well_formed(key, value)}


def merged(one: Schema, other: Schema) -> Schema:
    """The conjunction of two `plain` schemas. Annotations are those of `other`, if it has them.

    Raises `NotNative` if one schema cannot express it, and `Never` for a contradiction.
    """
    one, other = _closed_for(one, other), _closed_for(other, one)
    result = {**one, **other}
    for key in one.keys() & other.keys() - ANNOTATIONS:
        result[key] = _both(key, one[key], other[key])
    return result


def _both(key: str, one: Any, other: Any) -> Any:  # noqa: ANN401
    if key in _STRICTER:
        # all limits apply, so the stricter one (json-schema.org/draft/2020-12/json-schema-core)
        return _STRICTER[key](one, other)
    match key:
        case "type":
            return _common_types(one, other)
        case "enum":
            keys = set(map(value_key, other))
            return _some([value for value in one if value_key(value) in keys])
        case "properties":
            shared = {name: {"allOf": [one[name], other[name]]} for name in one if name in other}
            return {**one, **other, **shared}
        case "items" if not isinstance(one, list) and not isinstance(other, list):
            return {"allOf": [one, other]}
        case "additionalProperties" | "unevaluatedProperties" if False in (one, other):
            return False
    if not _equal(one, other):
        raise NotNative(f"it combines two different {key!r}")
    return one


def _common_types(one: list[str], other: list[str]) -> list[str]:
    common = [kind for kind in one if kind in other]
    for these, those in ((one, other), (other, one)):
        # an integer is any number without a fraction, 1.0 too, says
        # json-schema.org/draft/2020-12/json-schema-validation, 6.1.1
        if "integer" in these and "number" in those and "integer" not in common:
            common.append("integer")
    return _some(common)


def _closed_for(one: Schema, other: Schema) -> Schema:
    """`one`, with the properties forbidden that `other` excludes."""
    if other.get("additionalProperties") is not False or "patternProperties" in other:
        return one
    allowed = other.get("properties", {})
    properties = {
        name: value if name in allowed else False
        for name, value in one.get("properties", {}).items()
    }
    return {**one, "properties": properties} if properties else one


def _some(values: list[Any]) -> list[Any]:
    if not values:
        raise Never("it contradicts itself")
    return values


def _equal(one: object, other: object) -> bool:
    return value_key(one) == value_key(other)
