"""The least value for each kind of schema."""

from typing import Any

import pytest

from gateway_claude_code.upstream.samples import minimal_value

POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
    "required": ["x"],
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "example"),
        ({"type": "string", "minLength": 9}, "examplexx"),
        ({"type": "string", "maxLength": 2}, "ex"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "minimum": 1.5}, 2),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
        ({"type": "integer", "minimum": -9007199254740991}, 0),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": ["null", "string"]}, "example"),
        ({"const": 3}, 3),
        ({"enum": ["red", "blue"]}, "red"),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
        ({"type": "array", "prefixItems": [{"const": 1}], "minItems": 1}, [1]),
        ({"type": "object"}, {}),
        (POINT, {"x": 0}),
        ({"properties": {"a": {}}, "required": ["a", "b"]}, {"a": "example", "b": "example"}),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, False),
        ({"oneOf": [POINT, {"type": "null"}]}, {"x": 0}),
        ({"allOf": [POINT, {"required": ["y"]}]}, {"x": 0, "y": 0}),
        ({"$ref": "#/$defs/P", "$defs": {"P": POINT}}, {"x": 0}),
        ({}, "example"),
        (True, "example"),
    ],
)
def test_minimal_value(schema: Any, expected: object) -> None:
    value = minimal_value(schema)
    assert value == expected
    assert type(value) is type(expected)


def test_a_list_that_may_be_empty_ends_recursion() -> None:
    schema = {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["children"],
    }
    assert minimal_value(schema) == {"children": []}


def test_a_schema_that_no_finite_value_fits_ends_nevertheless() -> None:
    schema = {"type": "object", "properties": {"self": {"$ref": "#"}}, "required": ["self"]}
    assert "self" in minimal_value(schema)
    assert minimal_value({"$ref": "#"}) is not None
