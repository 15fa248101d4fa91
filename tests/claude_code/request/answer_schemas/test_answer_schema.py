"""From a client's JSON Schema to the one that the CLI is given."""

import pytest

from gateway.json_schema import InvalidSchema
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from tests.claude_code.request.answer_schemas.answer_schema_support import (
    DRAFT_4,
    DRAFT_7,
    DRAFT_2020,
    INTEGER,
    STRING,
    Schema,
    common,
    wrapped,
)

# -- what is kept, and what is left out ---------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"type": "string", "minLength": 1, "maxLength": 2, "format": "email"},
        {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.1},
        {"type": "array", "items": STRING, "minItems": 1, "maxItems": 2, "uniqueItems": True},
        {"type": "array", "contains": INTEGER},
        {"enum": ["a", 1, None, True, {"b": []}]},
        {"const": {"$id": "a value", "x-y": 1}},
        {"anyOf": [STRING, {"type": "null"}]},
        {"oneOf": [STRING, INTEGER]},
        {"allOf": [STRING, {"not": {"const": "x"}}]},
        {"type": ["string", "null"], "default": None, "title": "T", "description": "D"},
        {"type": "object", "additionalProperties": STRING, "minProperties": 1, "maxProperties": 2},
        {"type": "object", "propertyNames": {"pattern": "^a"}, "examples": [{}]},
        {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
        {"type": "object", "properties": {"$id": STRING, "items": INTEGER, "nullable": True}},
        {"type": "object", "definitions": {"b": STRING}, "$defs": {"c": INTEGER}},
    ],
)
def test_what_both_dialects_have_is_kept(part: Schema) -> None:
    assert common(part) == part


@pytest.mark.parametrize(
    "keyword",
    [
        {"$schema": DRAFT_7},
        {"$id": "https://example.test/a"},
        {"$anchor": "a"},
        {"$comment": "c"},
        {"discriminator": {"propertyName": "kind", "mapping": {"a": "#/$defs/A"}}},
        {"patternProperties": {"^x": {}}},
        {"unevaluatedProperties": False},
        {"dependentRequired": {"a": ["b"]}},
        {"dependentSchemas": {"a": {}}},
        {"if": {}, "then": {}, "else": {}},
        {"minContains": 1, "maxContains": 2},
        {"contentEncoding": "base64", "contentMediaType": "text/plain"},
        {"readOnly": True, "writeOnly": False, "deprecated": True},
        {"x-order": 1, "strict": True, "example": "of OpenAPI"},
    ],
)
def test_what_one_of_them_lacks_is_left_out_wherever_it_is(keyword: Schema) -> None:
    part = {"type": "object", **keyword, "properties": {"b": {"type": "string", **keyword}}}
    assert common(part) == {"type": "object", "properties": {"b": STRING}}


# -- what is said in other words ----------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "part", "said"),
    [
        (DRAFT_2020, {"prefixItems": [INTEGER]}, {"items": INTEGER}),
        (DRAFT_2020, {"prefixItems": [INTEGER], "items": False}, {"items": INTEGER}),
        (DRAFT_2020, {"prefixItems": [INTEGER, INTEGER], "items": INTEGER}, {"items": INTEGER}),
        (
            DRAFT_2020,
            {"type": "array", "prefixItems": [INTEGER, {**STRING, "x": 1}], "items": {"const": 1}},
            {"type": "array", "items": {"anyOf": [INTEGER, STRING, {"const": 1}]}},
        ),
        (DRAFT_2020, {"prefixItems": [True, INTEGER]}, {"items": {}}),
        (DRAFT_2020, {"prefixItems": [False]}, {"items": {}}),
        (DRAFT_7, {"items": [INTEGER, STRING]}, {"items": {"anyOf": [INTEGER, STRING]}}),
        (
            DRAFT_7,
            {"items": [INTEGER], "additionalItems": STRING},
            {"items": {"anyOf": [INTEGER, STRING]}},
        ),
        (DRAFT_7, {"items": [INTEGER], "additionalItems": False}, {"items": INTEGER}),
        (DRAFT_7, {"items": STRING, "additionalItems": INTEGER}, {"items": STRING}),
        (DRAFT_2020, {"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        (DRAFT_2020, {"type": "null", "nullable": True}, {"type": ["null"]}),
        (DRAFT_2020, {"type": "string", "nullable": False}, STRING),
        (DRAFT_2020, {"type": ["string"], "nullable": True}, {"type": ["string"]}),
        (DRAFT_2020, {"anyOf": [STRING], "nullable": True}, {"anyOf": [STRING]}),
        (DRAFT_2020, {"enum": ["a", "b", "a"]}, {"enum": ["a", "b"]}),
        (DRAFT_2020, {"enum": [1, True, 0, False, 1]}, {"enum": [1, True, 0, False]}),
        (DRAFT_2020, {"enum": [], "type": "string"}, STRING),
        (DRAFT_4, {"minimum": 0, "exclusiveMinimum": True}, {"minimum": 0}),
        (DRAFT_4, {"maximum": 0, "exclusiveMaximum": False}, {"maximum": 0}),
    ],
)
def test_what_is_said_in_other_words(dialect: str, part: Schema, said: Schema) -> None:
    assert common(part, dialect) == said


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "^a.b*c+d?$",
        r"^\d{3}-\d{2,}\.[\w.-]+\s$",
        "^[^a-z]{1,3}(?:x|y)(?=z)(?!q)(?<=w)(?<!v)$",
        r"^[\w\-\.]+@([\w-]+\.)+[a-z]{2,4}$",
        r"\{\}\[\]\/\\",
        "[{}()]",
        "é😀",
    ],
)
def test_patterns_that_javascript_has_too_are_kept(pattern: str) -> None:
    assert common({"type": "string", "pattern": pattern}) == {"type": "string", "pattern": pattern}


@pytest.mark.parametrize(
    "pattern",
    [
        "(?P<year>\\d+)",
        "(?i)abc",
        "(?x: a )",
        "(?<year>a)",
        r"\Aabc\Z",
        r"\p{Lu}",
        r"\-",
        r"\1",
        "^{.*}$",
        "a{,3}",
        "}",
        "a]",
        "[a",
        "[]",
        "[[a]]",
        "(a",
        "a)",
        "*a",
        "a{2,1}",
        "a{99999999999999999999}",
        "(" * 20_000,
        "a\\",
    ],
    ids=lambda pattern: pattern[:20],
)
def test_other_patterns_are_told_to_the_model_in_words(pattern: str) -> None:
    assert common({"type": "string", "pattern": pattern}) == {
        "type": "string",
        "description": f"Pattern: {pattern}",
    }
    assert common({"description": "A name.", "pattern": pattern}) == {
        "description": f"A name. Pattern: {pattern}"
    }


# -- the root -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        ({}, {"type": "object"}),
        ({"$schema": DRAFT_2020}, {"type": "object"}),
        ({"title": "T", "description": "D"}, {"title": "T", "description": "D", "type": "object"}),
        ({"$defs": {"a": STRING}}, {"$defs": {"a": STRING}, "type": "object"}),
        ({"type": "object"}, {"type": "object"}),
        ({"properties": {"a": {}}}, {"properties": {"a": {}}, "type": "object"}),
        ({"required": ["a"]}, {"required": ["a"], "type": "object"}),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "title": "A"}}, "title": "R"},
            {"$defs": {"A": {"type": "object", "title": "A"}}, "title": "A", "type": "object"},
        ),
        (
            {
                "$ref": "#/definitions/A",
                "definitions": {"A": {"$ref": "#/definitions/B"}, "B": {"required": ["b"]}},
            },
            {
                "definitions": {"A": {"$ref": "#/definitions/B"}, "B": {"required": ["b"]}},
                "required": ["b"],
                "type": "object",
            },
        ),
        (
            {"type": "object", "properties": {"kids": {"items": {"$ref": "#"}}}},
            {"type": "object", "properties": {"kids": {"items": {"$ref": "#"}}}},
        ),
    ],
)
def test_an_object_stays_at_the_root(schema: Schema, given: Schema) -> None:
    answer = AnswerSchema.of(schema)
    assert (answer.for_cli, answer.wrapped) == (given, False)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": STRING},
        STRING,
        {"type": "null"},
        {"type": ["object", "null"]},
        {"enum": ["a", "b"]},
        {"const": 3},
        {"anyOf": [{"type": "object"}, STRING]},
        {"oneOf": [{"type": "object"}, {"type": "object"}]},
        {"allOf": [{"type": "object"}]},
        {"not": {"type": "string"}},
        {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"minimum": 3},
    ],
)
def test_everything_else_is_wrapped_in_an_object(schema: Schema) -> None:
    answer = AnswerSchema.of(schema)
    assert (answer.for_cli, answer.wrapped) == (wrapped(schema), True)


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (
            {"anyOf": [{"$ref": "#/$defs/A"}, INTEGER], "$defs": {"A": STRING}},
            wrapped({"anyOf": [{"$ref": "#/$defs/A"}, INTEGER]}, **{"$defs": {"A": STRING}}),
        ),
        (
            {"items": {"$ref": "#/definitions/A"}, "definitions": {"A": {"items": {"$ref": "#"}}}},
            wrapped(
                {"items": {"$ref": "#/definitions/A"}},
                definitions={"A": {"items": {"$ref": "#/properties/value"}}},
            ),
        ),
        (
            {"anyOf": [STRING, {"type": "array", "items": {"$ref": "#"}}]},
            wrapped(
                {"anyOf": [STRING, {"type": "array", "items": {"$ref": "#/properties/value"}}]}
            ),
        ),
        (
            {"anyOf": [STRING, {"items": {"$ref": "#/anyOf/0"}}]},
            wrapped({"anyOf": [STRING, {"items": {"$ref": "#/properties/value/anyOf/0"}}]}),
        ),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": STRING}},
            wrapped({"$ref": "#/$defs/A"}, **{"$defs": {"A": STRING}}),
        ),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": True}},
            wrapped({"$ref": "#/$defs/A"}, **{"$defs": {"A": True}}),
        ),
        ({"$ref": "#"}, wrapped({"$ref": "#/properties/value"})),
    ],
    ids=["$defs", "definitions", "recursive", "a pointer", "root", "root to true", "endless"],
)
def test_references_of_what_is_wrapped_lead_to_where_things_are_now(
    schema: Schema, given: Schema
) -> None:
    answer = AnswerSchema.of(schema)
    assert (answer.for_cli, answer.wrapped) == (given, True)


def test_the_clients_schema_stays_as_it_was() -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"prefixItems": [STRING]}]}}}
    before = str(schema)
    AnswerSchema.of(schema)
    assert str(schema) == before


def test_an_answer_is_held_against_the_clients_own_schema() -> None:
    checked = AnswerSchema.of({"prefixItems": [INTEGER, STRING], "x-y": 1}).checked
    assert checked.problem([1, "a"]) is None
    assert checked.problem(["a", 1]) == '[0]: "a" is not of type "integer"'


def test_null_where_the_cli_is_told_that_it_may_be() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}
    assert AnswerSchema.of(schema).checked.problem({"a": None}) is None


@pytest.mark.parametrize("schema", [{"type": "objekt"}, {"$ref": "#/$defs/gone"}, {"$schema": 3}])
def test_what_is_not_valid_is_refused(schema: Schema) -> None:
    with pytest.raises(InvalidSchema):
        AnswerSchema.of(schema)
