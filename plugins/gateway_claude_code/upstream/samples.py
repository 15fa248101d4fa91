"""Minimal values for a JSON Schema: made-up arguments and structured answers.

Supports the keywords of tools and response formats (json-schema.org/draft/2020-12/
json-schema-validation); `pattern`, `not` and conditions are ignored.
"""

import math
from collections.abc import Mapping
from typing import Any

_DEPTH_LIMIT = 32
_PADDING = "x"

_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def minimal_value(schema: object) -> Any:  # noqa: ANN401 - any JSON value
    """A valid value: required properties only, least lengths, first choices."""
    return _Sampler(schema).value(schema, _DEPTH_LIMIT)


class _Sampler:
    def __init__(self, root: object) -> None:
        self._root = root

    def value(self, schema: object, depth: int) -> Any:  # noqa: ANN401
        if not isinstance(schema, Mapping) or depth == 0:
            return None if depth == 0 else "example"
        schema = self._flatten(schema, depth)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        match _type_of(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return _string(schema)
            case "integer":
                return int(_number(schema, whole=True))
            case "number":
                return _number(schema, whole=False)
            case "boolean":
                return False
            case _:
                return None

    def _flatten(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """The schema with its `$ref`, its `allOf`, and its first `anyOf`/`oneOf` merged in."""
        merged = dict(schema)
        parts = [self._resolve(merged.pop("$ref"))] if "$ref" in merged else []
        parts += merged.pop("allOf", [])
        for choice in ("anyOf", "oneOf"):
            parts += (merged.pop(choice, None) or [])[:1]
        for part in parts:
            if isinstance(part, Mapping) and depth:
                merged = _merge(merged, self._flatten(part, depth - 1))
        return merged

    def _resolve(self, reference: str) -> object:
        """The target of a local reference such as `#/$defs/Point`."""
        found: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required = schema.get("required") or ()
        return {name: self.value(properties.get(name, {}), depth - 1) for name in required}

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        places = list(schema.get("prefixItems") or ())
        missing = max(0, int(schema.get("minItems") or 0) - len(places))
        places += [schema.get("items", {})] * missing
        return [self.value(place, depth - 1) for place in places]


def _merge(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both schemas in one; of clashing keywords, the first schema's."""
    merged = {**other, **one}
    if "properties" in one and "properties" in other:
        merged["properties"] = {**other["properties"], **one["properties"]}
    if "required" in one and "required" in other:
        merged["required"] = [*one["required"], *other["required"]]
    return merged


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def _string(schema: Mapping[str, Any]) -> str:
    text = _FORMATS.get(str(schema.get("format")), "example")
    text = text.ljust(int(schema.get("minLength") or 0), _PADDING)
    return text[: int(schema["maxLength"])] if "maxLength" in schema else text


def _number(schema: Mapping[str, Any], *, whole: bool) -> float:
    """The least allowed number from zero on, or the highest below it."""
    step: float = schema.get("multipleOf") or (1 if whole else 0)
    least, most = _limits(schema, step or 1)
    value = min(max(0, least), most)
    if step:
        up = math.ceil(value / step) * step
        value = up if up <= most else math.floor(value / step) * step
    return value


def _limits(schema: Mapping[str, Any], step: float) -> tuple[float, float]:
    """The least and the greatest value; exclusive limits are moved in by `step`."""
    least: float = schema.get("minimum", -math.inf)
    most: float = schema.get("maximum", math.inf)
    if "exclusiveMinimum" in schema:
        least = max(least, schema["exclusiveMinimum"] + step)
    if "exclusiveMaximum" in schema:
        most = min(most, schema["exclusiveMaximum"] - step)
    return least, most
