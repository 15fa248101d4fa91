"""Schemas as data: their references, the schemas within them, and the values they list."""

from typing import Any

import pytest

from gateway.json_schema import distinct, map_schema, references, resolve
from tests.gateway.content.schema_check_support import Schema, about


def test_references_lists_them_all() -> None:
    schema = {
        "$ref": "#/a",
        "allOf": [{"$ref": "#/b"}, {"$dynamicRef": "#/c"}],
        "$defs": {"$ref": {"$ref": "#/d"}},
        "properties": {"$ref": {"type": "string"}},
        "enum": [{"$ref": "#/none"}],
    }
    assert sorted(references(schema)) == ["#/a", "#/b", "#/c", "#/d"]


def test_resolve_of_the_root_is_the_schema() -> None:
    schema = about(a={"$ref": "#"})
    assert resolve(schema, "#") is schema


# -- map_schema ---------------------------------------------------------------------------


def test_map_schema_changes_inner_schemas_first_and_leaves_values_alone() -> None:
    def marked(part: Schema) -> Schema:
        return {**part, "seen": sorted(part)}

    schema = {
        "properties": {"items": {"type": "object"}, "any": True},
        "items": [{}, False],
        "not": {},
        "$defs": "nonsense",
        "allOf": {"of": "no list"},
        "enum": [{"not": {}}],
        "default": {"items": {}},
    }
    original = str(schema)
    assert map_schema(schema, marked) == {
        "properties": {"items": {"type": "object", "seen": ["type"]}, "any": True},
        "items": [{"seen": []}, False],
        "not": {"seen": []},
        "$defs": "nonsense",
        "allOf": {"of": "no list"},
        "enum": [{"not": {}}],
        "default": {"items": {}},
        "seen": ["$defs", "allOf", "default", "enum", "items", "not", "properties"],
    }
    assert str(schema) == original


# -- values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ([], []),
        (["b", "a", "b"], ["b", "a"]),
        ([1, True, 0, False, 1, 1.0], [1, True, 0, False]),
        ([[1], [True], [1.0]], [[1], [True]]),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": [1]}], [{"a": 1, "b": 2}, {"a": [1]}]),
        ([None, "", [], {}, 0, False], [None, "", [], {}, 0, False]),
    ],
)
def test_distinct_values_are_those_of_json(values: list[Any], left: list[Any]) -> None:
    assert distinct(values) == left
    assert list(map(type, distinct(values))) == list(map(type, left))
