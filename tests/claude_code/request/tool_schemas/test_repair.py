"""Schemas of other dialects, and what becomes of each: one of draft 2020-12 that means the same."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.types import Tool
from gateway_claude_code.request.tool_schemas.offered import offered
from gateway_claude_code.request.tool_schemas.repair import repaired
from tests.cells import examples

LATEST = jsonschema_rs.Draft202012Validator(
    {"$ref": "https://json-schema.org/draft/2020-12/schema"}, validate_formats=False, offline=True
)
DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # null where there is nothing to say
        ({"type": "string", "enum": None, "description": None, "default": None}, {**STRING, "default": None}),
        ({"type": "string", "format": None, "pattern": None, "minLength": None}, STRING),
        ({"type": None}, {}),
        ({"type": "array", "items": None}, {"type": "array"}),
        ({"type": "object", "properties": None, "required": None}, {"type": "object"}),
        ({"type": "object", "additionalProperties": None, "$defs": None}, {"type": "object"}),
        # types
        ({"type": "STRING"}, STRING),
        ({"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}},
         {"type": "object", "properties": {"a": {"type": "integer"}}}),
        ({"type": "any"}, {}),
        ({"type": "TYPE_UNSPECIFIED"}, {}),
        ({"type": "int"}, {"type": "integer"}),
        ({"type": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string[]"}, {"type": "array", "items": STRING}),
        ({"type": "string | null"}, {"type": ["string", "null"]}),
        ({"type": ["string", "string", None]}, {"type": ["string", "null"]}),
        ({"type": ["string", "any"]}, {}),
        ({"type": []}, {}),
        ({"type": [{"type": "string"}, {"type": "array", "items": {"type": "any"}}]},
         {"anyOf": [STRING, {"type": "array", "items": {}}]}),
        ({"type": {"type": "string"}}, {"allOf": [STRING]}),
        ({"type": "Person"}, {"description": "(type: Person)"}),
        # until draft 4
        ({"minimum": 0, "exclusiveMinimum": True}, {"exclusiveMinimum": 0}),
        ({"maximum": 9, "exclusiveMaximum": False}, {"maximum": 9}),
        ({"exclusiveMinimum": True}, {}),
        ({"type": "object", "properties": {"a": {"type": "string", "required": True}, "b": {"required": False}}},
         {"type": "object", "properties": {"a": STRING, "b": {}}, "required": ["a"]}),
        ({"divisibleBy": 2}, {"multipleOf": 2}),
        ({"extends": {"type": "string"}}, {"allOf": [STRING]}),
        ({"disallow": "string"}, {"not": STRING}),
        (
            {"disallow": [{"type": "x"}]},
            {"not": {"anyOf": [{"description": "(type: x)"}]}},
        ),
        # until draft 2019-09
        ({"items": [{"type": "string"}, {"type": "number"}]}, {"prefixItems": [STRING, {"type": "number"}]}),
        ({"items": [{"type": "string"}], "additionalItems": False}, {"prefixItems": [STRING], "items": False}),
        ({"items": [], "additionalItems": {"type": "string"}}, {"items": STRING}),
        ({"dependencies": {"a": ["b"], "c": {"required": ["d"]}, "e": "f"}},
         {"dependentRequired": {"a": ["b"], "e": ["f"]}, "dependentSchemas": {"c": {"required": ["d"]}}}),
        ({"$recursiveRef": "#"}, {"$ref": "#"}),
        ({"$schema": DRAFT_4, "minimum": 0, "exclusiveMinimum": True}, {"exclusiveMinimum": 0}),
        ({"$schema": DRAFT_7, "type": "object"}, {"$schema": DRAFT_7, "type": "object"}),
        ({"$schema": DRAFT_7, "$ref": "#/$defs/A", "minLength": 3, "$defs": {"A": STRING}},
         {"$ref": "#/$defs/A", "$defs": {"A": STRING}}),
        # OpenAPI 3.0
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"$ref": "#/$defs/A", "nullable": True}, {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}),
        ({"anyOf": [STRING], "nullable": True}, {"anyOf": [STRING, {"type": "null"}]}),
        ({"type": "string", "nullable": False}, STRING),
        ({"type": "string", "example": "x", "xml": {"name": "y"}}, {"type": "string", "example": "x", "xml": {"name": "y"}}),
        # slips of people and generators
        ({"type": "object", "properties": {"a": {}}, "required": ["a", "a"]},
         {"type": "object", "properties": {"a": {}}, "required": ["a"]}),
        ({"type": "object", "required": "a"}, {"type": "object", "required": ["a"]}),
        ({"type": "object", "properties": {"a": {}, "required": ["a"]}},
         {"type": "object", "properties": {"a": {}}, "required": ["a"]}),
        ({"type": "object", "properties": {"a": {}, "required": [{"b": 1}]}},
         {"type": "object", "properties": {"a": {}, "required": {"anyOf": [{"b": 1}]}}}),
        ({"type": "object", "properties": []}, {"type": "object"}),
        ({"type": "string[][]"}, {"type": "array", "items": {"type": "array", "items": STRING}}),
        ({"type": "object", "properties": [{"name": "a", "type": "string", "required": True}]},
         {"type": "object", "properties": {"a": STRING}, "required": ["a"]}),
        ({"type": "object", "properties": {"a": "string", "b": None, "c": True, "d": ["string", "null"]}},
         {"type": "object", "properties": {"a": STRING, "b": {}, "c": True, "d": {"type": ["string", "null"]}}}),
        ({"minLength": "3", "maxLength": -1}, {"minLength": 3, "description": "(maxLength: -1)"}),
        ({"minimum": "1.5", "uniqueItems": "true"}, {"minimum": 1.5, "uniqueItems": True}),
        ({"minimum": "2020-01-01", "description": "When."}, {"description": "When.\n(minimum: 2020-01-01)"}),
        ({"description": ["One.", "Two."], "title": 3}, {"description": "One.\nTwo.", "title": "3"}),
        ({"additionalProperties": "false"}, {"additionalProperties": False}),
        ({"enum": {"A": "a", "B": "b"}}, {"enum": ["a", "b"]}),
        ({"examples": "x"}, {"examples": ["x"]}),
        ({"anyOf": [STRING, None]}, {"anyOf": [STRING, {"type": "null"}]}),
        ({"anyOf": [], "oneOf": None, "allOf": STRING}, {"allOf": [STRING]}),
        ({"allOf": [{"minLength": 1}], "type": {"type": "string"}}, {"allOf": [{"minLength": 1}, STRING]}),
    ],
    ids=str,
)  # fmt: skip
def test_a_schema_of_another_dialect(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert repaired(given) == expected
    assert LATEST.is_valid(expected)


def test_a_type_of_many_levels_is_said_in_words() -> None:
    kind = "any" + "[]" * 5000
    assert repaired({"type": kind}) == {"description": f"(type: {kind})"}


def test_a_value_is_never_taken_for_a_schema() -> None:
    schema = {"default": {"type": "any"}, "const": {"items": []}, "enum": [{"type": "any"}]}
    assert repaired(schema) == schema


def test_what_is_given_stays_as_it_is() -> None:
    given = {
        "type": "OBJECT",
        "properties": {"a": {"items": [{"type": "ANY"}]}},
        "required": ["a", "a"],
    }
    copy = repr(given)
    repaired(given)["properties"]["a"].clear()
    assert repr(given) == copy


@pytest.mark.parametrize("keyword", ["items", "not", "additionalProperties"])
def test_depth_costs_no_stack(keyword: str) -> None:
    schema: dict[str, Any] = {"type": "STRING"}
    for _ in range(3000):
        schema = {keyword: schema}
    left = repaired(schema)
    while keyword in left:
        left = left[keyword]
    assert left == STRING


# -- whatever comes ------------------------------------------------------------------------

KEYWORDS = [
    "$anchor",
    "$defs",
    "$dynamicRef",
    "$id",
    "$recursiveRef",
    "$ref",
    "$schema",
    "$vocabulary",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "disallow",
    "divisibleBy",
    "else",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "extends",
    "format",
    "if",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minContains",
    "minLength",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "uniqueItems",
]
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, "3", "", "string", "STRING", "any", "#", "#/$defs/a", "a", "$x", "true"]),
)
JUNK = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*KEYWORDS, "a", "$x", "name"]), inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=examples(300), deadline=None)
@given(st.dictionaries(st.sampled_from(KEYWORDS), JUNK, max_size=5))
def test_anything_becomes_a_schema_that_the_api_takes(schema: dict[str, Any]) -> None:
    tool = offered(Tool(name="f", schema=schema)).tool
    assert LATEST.is_valid(tool.schema)
    assert tool.schema["type"] == "object"
    assert not tool.schema.keys() & {"allOf", "anyOf", "oneOf", "$ref"}
    assert offered(tool).tool is tool


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 4), st.sampled_from(["", "a", "abcd"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "c d"]), inner, max_size=3),
    ),
    max_leaves=6,
)
SCHEMAS = st.recursive(
    st.one_of(
        st.booleans(),
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["string", "integer", "null", "object", ["string", "array"]]),
                "minLength": st.integers(0, 3),
                "minimum": st.integers(-1, 3),
                "exclusiveMaximum": st.integers(0, 4),
                "enum": st.lists(PLAIN, max_size=3),
                "const": PLAIN,
            },
        ),
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
            "required": st.lists(st.sampled_from(["a", "b"]), unique=True, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "dependentRequired": st.just({"a": ["b"]}),
            "$defs": st.fixed_dictionaries({"d": inner}),
        },
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=examples(300), deadline=None)
@given(inner=SCHEMAS, value=VALUES)
def test_a_valid_schema_means_what_it_meant(inner: Any, value: Any) -> None:
    schema = {"type": "object", "properties": {"a": inner}, "required": ["a"]}
    assert LATEST.is_valid(schema)
    assert offered(Tool(name="f", schema=schema)).tool.schema is schema
    before = jsonschema_rs.Draft202012Validator(schema)
    after = jsonschema_rs.Draft202012Validator(repaired(schema))
    assert before.is_valid({"a": value}) == after.is_valid({"a": value})
