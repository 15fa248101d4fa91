"""Schemas that come from outside: whether they are valid, and whether a value meets one."""

from typing import Any

import pytest

from gateway.content.schema_check import CheckedSchema
from gateway.json_schema import InvalidSchema
from tests.gateway.content.schema_check_support import (
    DRAFT_4,
    DRAFT_7,
    DRAFT_2019,
    DRAFT_2020,
    INTEGER,
    STRING,
    Schema,
    about,
    problem,
)

# -- which schemas are valid --------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, r'^type: "objekt" is not a type; the types are object, array'),
        ({"type": []}, r"^type: \[\]"),
        ({"properties": [1]}, r'^properties: \[1\] is not of type "object"'),
        (about(a={"items": {"minimum": "0"}}), r'^properties\.a\.items\.minimum: "0" is not'),
        ({"anyOf": [{}, {"type": 3}]}, r"^anyOf\[1\]\.type: 3 is not"),
        ({"anyOf": []}, r"^anyOf: \[\]"),
        ({"$defs": {"a": 3}}, r'^\$defs\.a: 3 is not of types "boolean", "object"'),
        ({"$ref": 3}, r'^\$ref: 3 is not of type "string"'),
        ({"required": ["a", "a"]}, r"^required: .* non-unique"),
        (about(a={"multipleOf": 0}), r"^properties\.a\.multipleOf: 0"),
        (
            about(a={"items": [INTEGER]}),
            r'^properties\.a\.items: .* is not of types "boolean", "object"',
        ),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(schema: Schema, said: str) -> None:
    with pytest.raises(InvalidSchema, match=said):
        CheckedSchema(schema)


def test_what_is_said_is_one_line_of_bounded_length() -> None:
    with pytest.raises(InvalidSchema) as caught:
        CheckedSchema({"type": "a \n\n b" + "x" * 10_000})
    said = str(caught.value)
    assert len(said) < 400
    assert said.endswith("…")
    assert "\n" not in said


def test_what_is_nested_too_deeply_is_refused() -> None:
    schema: Schema = {}
    for _ in range(3000):
        schema = about(a=schema)
    with pytest.raises(InvalidSchema, match="nested too deeply"):
        CheckedSchema(schema)


# -- dialects -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "schema", "right", "wrong"),
    [
        (None, {"prefixItems": [INTEGER]}, [1], ["a"]),
        (DRAFT_2020, {"prefixItems": [INTEGER]}, [1], ["a"]),
        (DRAFT_2019, {"dependentRequired": {"a": ["b"]}}, {"b": 1}, {"a": 1}),
        (DRAFT_7, {"items": [INTEGER], "additionalItems": False}, [1], [1, 2]),
        (DRAFT_4, {"minimum": 0, "exclusiveMinimum": True}, 1, 0),
        ("https://example.test/made-up", {"prefixItems": [INTEGER]}, [1], ["a"]),
    ],
)
def test_the_dialect_is_the_roots(
    dialect: str | None, schema: Schema, right: Any, wrong: Any
) -> None:
    if dialect is not None:
        schema = {"$schema": dialect, **schema}
    assert problem(schema, right) is None
    assert problem(schema, wrong) is not None


@pytest.mark.parametrize("dialect", [3, [], {}, "http://[x"])
def test_a_dialect_that_is_no_url_is_refused(dialect: Any) -> None:
    with pytest.raises(InvalidSchema, match=r"^its \$schema is "):
        CheckedSchema({"$schema": dialect, "type": "object"})


@pytest.mark.parametrize(
    "named",
    [
        {"$schema": DRAFT_4},
        {"$schema": "https://example.test/made-up"},
        {"$id": "https://example.test/a", "$anchor": "a"},
        {"id": "https://example.test/a"},
        {"$dynamicAnchor": "a"},
    ],
)
def test_names_within_a_schema_change_nothing(named: Schema) -> None:
    inner = {**named, "$ref": "#/$defs/n", "exclusiveMinimum": 0}
    schema = {**about(a=inner), "$defs": {"n": {**named, "type": "integer"}}}
    assert problem(schema, {"a": 1}) is None
    assert problem(schema, {"a": 0}) is not None
    assert problem(schema, {"a": "x"}) == 'a: "x" is not of type "integer"'


# -- references ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "rest"),
    [
        ("#/$defs/n", {"$defs": {"n": INTEGER}}),
        ("#/definitions/n", {"definitions": {"n": INTEGER}}),
        ("#/$defs/a~1b~0c", {"$defs": {"a/b~c": INTEGER}}),
        ("#/$defs/a%20b", {"$defs": {"a b": INTEGER}}),
        ("#/allOf/1", {"allOf": [{}, {"type": ["integer", "object"]}]}),
        ("#/components/schemas/n", {"components": {"schemas": {"n": INTEGER}}}),
        ("#/$defs/m", {"$defs": {"m": {"$ref": "#/$defs/n"}, "n": INTEGER}}),
    ],
)
def test_references_within_the_schema(reference: str, rest: Schema) -> None:
    schema = {**about(a={"$ref": reference}), **rest}
    assert problem(schema, {"a": 1}) is None
    assert problem(schema, {"a": "x"}) is not None


def test_a_reference_to_true_takes_anything() -> None:
    schema = {**about(a={"$ref": "#/$defs/any"}), "$defs": {"any": True}}
    assert problem(schema, {"a": 1.5}) is None


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("#/$defs/gone", "which does not exist"),
        ("#/required/7", "which does not exist"),
        ("#/required/x", "which does not exist"),
        ("#/type/x", "which does not exist"),
        ("#/type", "which is not a schema"),
        ("#/required", "which is not a schema"),
        ("#name", "which is not a JSON pointer"),
        ("https://example.test/s.json", "which is outside it"),
        ("file:///etc/passwd", "which is outside it"),
        ("other.json#/a", "which is outside it"),
        ("", "which is outside it"),
    ],
)
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_what_leads_nowhere_is_refused(keyword: str, reference: str, said: str) -> None:
    schema = {**about(a={keyword: reference}), "required": ["a"]}
    with pytest.raises(InvalidSchema) as caught:
        CheckedSchema(schema)
    assert str(caught.value) == f"it refers to {reference!r}, {said}"


REMOTE = {"$ref": "https://example.test/s.json"}


@pytest.mark.parametrize(
    "schema",
    [
        REMOTE,
        {"items": REMOTE},
        {"$schema": DRAFT_7, "items": [REMOTE]},
        {"prefixItems": [REMOTE]},
        {"additionalProperties": REMOTE},
        {"patternProperties": {"a": REMOTE}, "x": REMOTE, "not": REMOTE},
        {"anyOf": [{}, REMOTE]},
        {"oneOf": [{"allOf": [REMOTE]}]},
        {"not": REMOTE},
        {"if": REMOTE},
        {"then": REMOTE, "else": REMOTE},
        {"contains": REMOTE},
        {"propertyNames": REMOTE},
        {"unevaluatedItems": REMOTE},
        {"unevaluatedProperties": REMOTE},
        {"dependentSchemas": {"a": REMOTE}},
        {"$schema": DRAFT_7, "dependencies": {"a": REMOTE, "b": ["c"]}},
        {"$defs": {"a": REMOTE}},
        {"definitions": {"a": {"properties": {"b": REMOTE}}}},
    ],
    ids=lambda schema: next(key for key in schema if key != "$schema"),
)
def test_remote_references_are_found_wherever_they_are(schema: Schema) -> None:
    with pytest.raises(InvalidSchema, match=r"example\.test"):
        CheckedSchema(schema)


def test_a_reference_out_of_what_is_no_schema_of_the_dialect_is_not_followed() -> None:
    schema = {**about(a={"$ref": "#/x/y"}), "x": {"y": REMOTE}}
    with pytest.raises(InvalidSchema, match=r"example\.test/s\.json', which is outside it"):
        CheckedSchema(schema)


@pytest.mark.parametrize("place", ["enum", "const", "default", "examples"])
def test_what_only_looks_like_a_reference_is_none(place: str) -> None:
    values = [REMOTE] if place in {"enum", "examples"} else REMOTE
    assert problem(about(a={place: values}), {"a": REMOTE}) is None


# -- values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        (about(a=INTEGER), [], '[] is not of type "object"'),
        ({"required": ["a"]}, {}, '"a" is a required property'),
        (about(a=about(b=INTEGER)), {"a": {"b": "x"}}, 'a.b: "x" is not of type "integer"'),
        ({"items": INTEGER}, [1, "x"], '[1]: "x" is not of type "integer"'),
        (about(a={"pattern": "^b+$"}), {"a": "c"}, 'a: "c" does not match "^b+$"'),
        ({"pattern": "b"}, 3, None),
        ({"pattern": "b"}, "abc", None),
        ({"pattern": "(of another dialect"}, "x", None),
        ({"pattern": r"^\p{Lu}"}, "É", None),
        ({"format": "email"}, "not checked", None),
        ({"minimum": -9007199254740991}, 3, None),
        ({"multipleOf": 0.1}, 10**400, None),
        (STRING, "half of a pair: \ud83d", None),
        ({"maxLength": 1}, "\ud83d", None),
    ],
)
def test_problems(schema: Schema, value: Any, said: str | None) -> None:
    assert problem(schema, value) == said


def test_a_problem_is_one_line_of_bounded_length() -> None:
    said = problem(INTEGER, "a\n" + "x" * 10_000)
    assert said is not None
    assert len(said) < 400
    assert "\n" not in said


@pytest.mark.parametrize(
    "name", ["$id", "id", "$ref", "$schema", "$anchor", "items", "patternProperties", "not"]
)
def test_a_property_can_be_called_anything(name: str) -> None:
    schema = {**about(**{name: INTEGER}), "required": [name], "additionalProperties": False}
    assert problem(schema, {name: 1}) is None
    assert problem(schema, {name: "x"}) == f'{name}: "x" is not of type "integer"'
    assert problem(schema, {}) == f'"{name}" is a required property'


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": 1, "x-1": 2}, None),
        ({"a": 1, "x-1": "text"}, 'x-1: "text" is not of type "integer"'),
        ({"a": 1, "zzz": 1}, "Additional properties are not allowed ('zzz' was unexpected)"),
    ],
)
def test_properties_by_pattern_are_checked(value: Any, said: str | None) -> None:
    closed = {"patternProperties": {"^x-": INTEGER}, "additionalProperties": False}
    assert problem({**about(a=INTEGER), **closed}, value) == said


def test_an_unknown_pattern_is_left_out_with_what_depends_on_it() -> None:
    odd = {"patternProperties": {"(of another dialect": INTEGER}, "additionalProperties": False}
    schema = {**about(a={"pattern": "(too"}, b=INTEGER), **odd}
    assert problem(schema, {"a": "x", "zzz": 1}) is None
    assert problem(schema, {"b": "x"}) == 'b: "x" is not of type "integer"'


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"type": "string", "nullable": True}, None, True),
        ({"type": "string", "nullable": True}, "x", True),
        ({"type": "string", "nullable": True}, 3, False),
        ({"type": "null", "nullable": True}, None, True),
        ({"type": ["string", "integer"], "nullable": True}, 3, True),
        ({"type": "string", "nullable": False}, None, False),
        ({"type": "string", "nullable": "yes"}, None, False),
    ],
)
def test_nullable_allows_null(schema: Schema, value: Any, fits: bool) -> None:
    assert (problem(about(a=schema), {"a": value}) is None) is fits


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}], "has non-unique elements"),
        ({"uniqueItems": True}, [1, True, "1"], None),
        ({"uniqueItems": False}, [1, 1], None),
        ({"uniqueItems": True}, "11", None),
        ({"enum": ["a"]}, "b", '"b" is not one of "a"'),
        ({"enum": [1]}, True, "true is not one of 1"),
        ({"enum": [1]}, 1.0, None),
        ({"enum": list(range(100))}, "b", '"b" is not one of 0'),
    ],
)
def test_values_are_compared_as_json_does(schema: Schema, value: Any, said: str | None) -> None:
    found = problem(schema, value)
    assert found == said if said is None else found is not None and said in found
