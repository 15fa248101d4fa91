"""From a client's JSON Schema to the API's own structured output, and the answer back."""

from typing import Any

import pytest

from gateway_claude_code.request.answer_schemas.output_format import OutputFormat, is_format_refusal
from tests.claude_code.request.answer_schemas.schema_support import (
    DRAFT_4,
    DRAFT_7,
    INTEGER,
    NULL,
    STRING,
    Schema,
    about,
    closed,
    native,
    reason,
    said,
    subset_problems,
)

# -- objects ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ({"type": "object", "properties": {"a": STRING}}, closed({"a": STRING})),
        ({"properties": {"a": STRING}}, closed({"a": STRING})),
        ({**about(STRING), "additionalProperties": False}, closed({"a": STRING}, "a")),
        ({**about(STRING), "unevaluatedProperties": False}, closed({"a": STRING}, "a")),
        ({"type": "object", "additionalProperties": False}, closed({})),
        ({"type": "object", "maxProperties": 0}, closed({}, description="Number of properties: at most 0.")),
        (
            {"type": "object", "properties": {"a": STRING, "b": False}},
            closed({"a": STRING}),
        ),
        (
            about(about(STRING), title="T", description="D"),
            closed({"a": closed({"a": STRING}, "a")}, "a", title="T", description="D"),
        ),
    ],
)  # fmt: skip
def test_every_object_is_closed(schema: Schema, sent: Schema) -> None:
    assert native(schema) == sent


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({}, "the answer may be any JSON"),
        ({"title": "T"}, "the answer may be any JSON"),
        ({"type": "object"}, "the answer may have any property"),
        (about({"type": "object"}), "'a' may have any property"),
        (about(about({})), "'a.a' may be any JSON"),
        (about(True), "'a' may be any JSON"),
        (about({"type": "array"}), "'a[]' may be any JSON"),
        (
            about({"type": "object", "additionalProperties": STRING}),
            "'a' may have any property (additionalProperties)",
        ),
        (
            {**about(STRING), "additionalProperties": True},
            "the answer may have any property (additionalProperties)",
        ),
        (
            {**about(STRING), "unevaluatedProperties": {}},
            "the answer may have any property (unevaluatedProperties)",
        ),
        (
            {**about(STRING), "patternProperties": {"^x": {}}},
            "the answer has properties by pattern",
        ),
        ({**about(STRING), "required": ["b"]}, "'b' is required and not described"),
        ({"type": "object", "required": ["b"]}, "the answer may have any property"),
        (about({"enum": [{"a": 1}]}), "'a' has an object or a list in its enum"),
        (about({"const": []}), "'a' has an object or a list in its enum"),
        (about({"anyOf": [STRING], "oneOf": [STRING]}), "'a' combines anyOf and oneOf"),
        (
            about({"allOf": [{"pattern": "a"}, {"pattern": "b"}]}),
            "it combines two different 'pattern'",
        ),
        (about(False), "'a' is false"),
        (about({"type": "string", "enum": [1]}), "'a' contradicts itself"),
        (about({"allOf": [STRING, INTEGER]}), "it contradicts itself"),
        (about({"$dynamicRef": "#/$defs/A"}, **{"$defs": {"A": STRING}}), "'a' has a dynamic reference"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_not_native_and_says_why(schema: Schema, why: str) -> None:
    assert reason(schema) == why


# -- limits -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "sent", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 5}, INTEGER,
         "Must be at least 1.\nMust be at most 5."),
        ({"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5}, {"type": "number"},
         "Must be greater than 0.\nMust be a multiple of 0.5."),
        ({"type": "string", "minLength": 1, "maxLength": 9}, STRING,
         "Length: at least 1.\nLength: at most 9."),
        ({"type": "string", "format": "binary"}, STRING, "Format: binary."),
        ({"type": "string", "pattern": "^(?=a)"}, STRING, "Must match the pattern ^(?=a)"),
        ({"type": "array", "items": STRING, "minItems": 3, "uniqueItems": True},
         {"type": "array", "items": STRING, "minItems": 1},
         "Number of items: at least 3.\nItems must be unique."),
        ({"type": "array", "items": STRING, "maxItems": 3},
         {"type": "array", "items": STRING}, "Number of items: at most 3."),
        ({"type": "array", "items": INTEGER, "contains": {"const": 1}},
         {"type": "array", "items": INTEGER}, 'Must contain an item that matches {"const": 1}'),
        ({"type": "string", "description": "A name.", "maxLength": 3}, STRING,
         "A name.\nLength: at most 3."),
        ({"type": "string", "not": {"const": "x"}}, STRING, 'Must not match {"const": "x"}'),
        ({"type": "string", "default": "x"}, STRING, "Default: x."),
        ({"type": "string", "examples": ["x"]}, STRING, 'Examples: ["x"]'),
        ({"type": "string", "if": {"const": "x"}, "then": {}}, STRING,
         'Condition: {"if": {"const": "x"}, "then": {}}'),
    ],
)  # fmt: skip
def test_limits_that_a_grammar_cannot_have_are_told_in_words(
    part: Schema, sent: Schema, words: str
) -> None:
    assert said(part) == {**sent, "description": words}


@pytest.mark.parametrize(
    "part",
    [
        STRING,
        INTEGER,
        NULL,
        {"type": "boolean"},
        {"type": "number", "title": "T", "description": "D"},
        {"type": "string", "enum": ["a", "b"]},
        {"enum": ["a", 1, None, True]},
        {"type": "string", "const": "a"},
        {"type": ["string", "null"]},
        {"anyOf": [STRING, {"type": "array", "items": INTEGER}]},
        {"type": "array", "items": STRING, "minItems": 0},
        {"type": "array", "items": STRING, "minItems": 1},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "uuid"},
        {"type": "string", "pattern": r"^[A-Z]{3}-\d{2,4}$"},
        {"type": "string", "pattern": r"a+(b[^c]*)?\.\w"},
    ],
)
def test_what_the_subset_has_stays(part: Schema) -> None:
    assert said(part) == part


@pytest.mark.parametrize(
    "pattern",
    ["a|b", r"\bword\b", r"(a)\1", "(?:a)", "(?P<x>a)", "(?!a)", "a{1,1000}", r"\p{L}", "[", "a**",
     "^" * 3, "(" * 20_000],
    ids=lambda pattern: pattern[:12],
)  # fmt: skip
def test_patterns_beyond_the_documented_ones_are_told_in_words(pattern: str) -> None:
    words = f"Must match the pattern {pattern}"
    assert said({"type": "string", "pattern": pattern}) == {**STRING, "description": words}


def test_a_format_goes_before_a_pattern() -> None:
    part = {"type": "string", "format": "email", "pattern": "a@b"}
    words = "Must match the pattern a@b"
    assert said(part) == {"type": "string", "format": "email", "description": words}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        {"type": "integer", "default": None, "minLength": 3, "format": "int32"},
    ],
)
def test_what_says_nothing_is_left_out(part: Schema) -> None:
    assert said(part) == INTEGER


# -- other words for the same --------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        ({"oneOf": [STRING, INTEGER]}, {"anyOf": [STRING, INTEGER]}),
        ({"anyOf": [STRING]}, STRING),
        ({"anyOf": [STRING, STRING]}, STRING),
        ({"anyOf": [STRING, False]}, STRING),
        ({"anyOf": [STRING, {"allOf": [STRING, INTEGER]}]}, STRING),
        ({"anyOf": [STRING, INTEGER], "title": "T"}, {"anyOf": [STRING, INTEGER], "title": "T"}),
        ({"anyOf": [{"const": "a"}, {"const": "b"}, NULL]}, {"enum": ["a", "b", None]}),
        ({"anyOf": [{"type": "string", "const": "a"}, {"type": "string", "enum": ["b", "c"]}]},
         {"type": "string", "enum": ["a", "b", "c"]}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": ["string", "null"], "enum": ["a", None, 3]}, {"enum": ["a", None]}),
        ({"type": "string", "enum": ["a", None, "a"]}, {"type": "string", "const": "a"}),
        ({"enum": [1, True, 1.0]}, {"enum": [1, True]}),
        ({"type": ["integer", "number"]}, {"type": "number"}),
        ({"type": ["string", "null"], "format": "date"},
         {"anyOf": [{"type": "string", "format": "date"}, NULL]}),
        ({"type": ["array", "null"], "items": STRING},
         {"anyOf": [{"type": "array", "items": STRING}, NULL]}),
        ({"minLength": 0}, STRING),
        ({"items": STRING}, {"type": "array", "items": STRING}),
        ({"multipleOf": 2}, {"type": "number", "description": "Must be a multiple of 2."}),
        ({"type": "string", "anyOf": [{"format": "date"}, {"format": "time"}]},
         {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "time"}]}),
        ({"prefixItems": [STRING, INTEGER], "minItems": 1},
         {"type": "array", "items": {"anyOf": [STRING, INTEGER]}, "minItems": 1, "description":
          'The items in this order: [{"type": "string"}, {"type": "integer"}]'}),
        ({"$comment": "c", "x-order": 1, "readOnly": True, **STRING}, STRING),
    ],
)  # fmt: skip
def test_what_is_said_in_other_words(part: Schema, sent: Schema) -> None:
    assert said(part) == sent


@pytest.mark.parametrize(
    ("dialect", "part", "sent"),
    [
        (DRAFT_4, {"type": "number", "minimum": 0, "exclusiveMinimum": True},
         {"type": "number", "description": "Must be greater than 0."}),
        (DRAFT_4, {"type": "number", "maximum": 0, "exclusiveMaximum": False},
         {"type": "number", "description": "Must be at most 0."}),
        (DRAFT_7, {"items": [STRING], "additionalItems": INTEGER, "maxItems": 2},
         {"type": "array", "items": {"anyOf": [STRING, INTEGER]}, "description":
          'Number of items: at most 2.\nThe items in this order: [{"type": "string"}]'}),
        (DRAFT_7, {"$ref": "#/definitions/S", "maxLength": 3}, {"$ref": "#/$defs/S"}),
        (DRAFT_7, {"$ref": "#/definitions/S", "description": "D"}, {**STRING, "description": "D"}),
    ],
)  # fmt: skip
def test_older_dialects(dialect: str, part: Schema, sent: Schema) -> None:
    assert said(part, dialect, definitions={"S": STRING}) == sent


@pytest.mark.parametrize(
    ("every", "sent"),
    [
        ([{"minimum": 1}, {"type": "integer", "minimum": 3}],
         {**INTEGER, "description": "Must be at least 3."}),
        ([{"type": ["integer", "string"]}, {"type": "number"}], INTEGER),
        ([{"enum": ["a", "b"]}, {"enum": ["b", "c"]}], {"const": "b"}),
        ([about(STRING), {"properties": {"b": INTEGER}}], closed({"a": STRING, "b": INTEGER}, "a")),
        ([about({"type": "number"}), {"properties": {"a": INTEGER}}], closed({"a": INTEGER}, "a")),
        ([about(STRING, additionalProperties=False), {"properties": {"b": INTEGER}}],
         closed({"a": STRING}, "a")),
        ([{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}], closed({"a": STRING}, "a")),
        ([{"items": {"type": "number"}}, {"type": "array", "items": INTEGER}],
         {"type": "array", "items": INTEGER}),
        ([True, STRING], STRING),
    ],
)  # fmt: skip
def test_all_of_is_merged(every: list[Any], sent: Schema) -> None:
    assert said({"allOf": every}, **{"$defs": {"A": about(STRING)}}) == sent


def test_alternatives_of_an_object_are_objects_of_their_own() -> None:
    schema = {
        **about(STRING),
        "required": [],
        "oneOf": [{"required": ["a"]}, {"properties": {"b": INTEGER}}],
    }
    alternatives = [closed({"a": STRING}, "a"), closed({"a": STRING, "b": INTEGER})]
    assert native(schema)["properties"]["value"] == {"anyOf": alternatives}  # fmt: skip


# -- references ---------------------------------------------------------------------------


def test_a_reference_stays_one_wherever_it_leads() -> None:
    schema = {
        "$schema": DRAFT_7,
        **about({"$ref": "#/definitions/Point"}),
        "definitions": {"Point": about({"$ref": "#/definitions/of/x~1y"}), "of": {"x/y": INTEGER}},
    }
    assert native(schema) == closed(
        {"a": {"$ref": "#/$defs/Point"}},
        "a",
        **{"$defs": {"x_1y": INTEGER, "Point": closed({"a": {"$ref": "#/$defs/x_1y"}}, "a")}},
    )


def test_definitions_of_one_name_are_kept_apart() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/X"}, "b": {"$ref": "#/definitions/X"}},
        "$defs": {"X": STRING},
        "definitions": {"X": INTEGER},
    }
    assert native(schema)["$defs"] == {"X": STRING, "X_2": INTEGER}


@pytest.mark.parametrize(
    ("beside", "sent"),
    [
        ({}, {"$ref": "#/$defs/S"}),
        ({"title": "T", "default": None, "deprecated": True}, {"$ref": "#/$defs/S"}),
        ({"description": "Mine."}, {**STRING, "description": "Mine."}),
        ({"maxLength": 2}, {**STRING, "description": "A name.\nLength: at most 2."}),
    ],
)
def test_what_stands_beside_a_reference_counts(beside: Schema, sent: Schema) -> None:
    target = {**STRING, "description": "A name."}
    assert said({"$ref": "#/$defs/S", **beside}, **{"$defs": {"S": target}}) == sent


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$ref": "#"}, "the answer is recursive (#)"),
        (about({"$ref": "#"}), "'a.a' is recursive (#)"),
        (about({"items": {"$ref": "#/properties/a"}}), "'a[][]' is recursive (#/properties/a)"),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": about({"$ref": "#/$defs/A"})}},
            "'a' is recursive (#/$defs/A)",
        ),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": {"allOf": [{"$ref": "#/$defs/B"}]}, "B": {"$ref": "#/$defs/A"}}},
            "the answer is recursive (#/$defs/A)",
        ),
        (
            about({"$ref": "#/$defs/A"}, **{"$defs": {"A": {"anyOf": [NULL, about({"$ref": "#/$defs/A", "description": "D"})]}}}),
            "'a.a' is recursive (#/$defs/A)",
        ),
    ],
)  # fmt: skip
def test_recursion_is_not_native(schema: Schema, why: str) -> None:
    assert reason(schema) == why


# -- the root -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [{"type": "array", "items": STRING}, STRING, {"type": "string", "enum": ["a", "b"]},
     {"anyOf": [closed({"a": STRING}, "a"), NULL]}],
)  # fmt: skip
def test_a_root_that_is_not_an_object_is_wrapped(part: Schema) -> None:
    form = OutputFormat.of(part)
    assert (form.schema, form.wrapped) == (closed({"value": part}, "value"), True)


def test_a_reference_at_the_root_is_followed() -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": about(STRING)}}
    form = OutputFormat.of(schema)
    assert (form.schema, form.wrapped) == (closed({"a": STRING}, "a"), False)


# -- names of properties ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "sent"),
    [
        (["größe"], {"grosse": "größe"}),
        (["first name", "Élan"], {"first_name": "first name", "Elan": "Élan"}),
        (["a b", "a_b", "a-b", "a/b"], {"a_b_1": "a b", "a_b_2": "a/b"}),
        (["名前", ""], {"property": "", "property_2": "名前"}),
        (["x" * 65], {"x" * 50: "x" * 65}),
        (["$filter", "ids[]"], {"filter": "$filter", "ids": "ids[]"}),
        (["plain", "with.dots-and_9", "x" * 64], {}),
    ],
)
def test_names_that_the_api_refuses_are_replaced(names: list[str], sent: dict[str, str]) -> None:
    schema = {"type": "object", "properties": dict.fromkeys(names, STRING), "required": names}
    form = OutputFormat.of(schema)
    assert form.names == sent
    assert subset_problems(form.schema) == []
    backwards = {name: key for key, name in sent.items()}
    assert form.schema["required"] == [backwards.get(name, name) for name in names]


def test_the_model_is_told_what_a_name_is_short_for() -> None:
    schema = {"type": "object", "properties": {'the "name"': STRING}, "description": "D"}
    assert native(schema) == closed(
        {"the_name": STRING}, description='D\n"the_name" is short for "the \\"name\\"".'
    )


# -- refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "about_it"),
    [
        ("output_config.format.schema: For 'array' type, property 'maxItems' is not supported", True),
        ("Schema is too complex for compilation.", True),
        ("The compiled grammar is too large, which would cause performance issues.", True),
        ("output_config.effort: 'max' is not supported", False),
        ("tools.0.custom.input_schema: JSON schema is invalid", False),
        ("max_tokens: 1 is too small", False),
    ],
)  # fmt: skip
def test_refusals_of_the_format(message: str, *, about_it: bool) -> None:
    assert is_format_refusal(message) is about_it
