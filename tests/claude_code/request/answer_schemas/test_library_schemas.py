"""The schemas that clients' libraries make, as the CLI is given them."""

from tests.claude_code.request.answer_schemas.answer_schema_support import (
    DRAFT_7,
    DRAFT_2020,
    for_cli,
)

PYDANTIC = {
    "$defs": {
        "Kind": {"enum": ["a", "b"], "title": "Kind", "type": "string"},
        "Cat": {
            "properties": {"kind": {"const": "cat", "title": "Kind", "type": "string"}},
            "required": ["kind"],
            "title": "Cat",
            "type": "object",
        },
    },
    "additionalProperties": False,
    "properties": {
        "kind": {"$ref": "#/$defs/Kind"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Note"},
        "pet": {
            "discriminator": {"mapping": {"cat": "#/$defs/Cat"}, "propertyName": "kind"},
            "oneOf": [{"$ref": "#/$defs/Cat"}],
        },
        "pair": {
            "maxItems": 2,
            "minItems": 2,
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "type": "array",
        },
        "data": {"format": "binary", "contentMediaType": "x/y", "type": "string"},
    },
    "required": ["kind"],
    "title": "Answer",
    "type": "object",
}

ZOD_4 = {
    "$schema": DRAFT_2020,
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        "email": {"type": "string", "format": "email", "pattern": "^(?!\\.)[\\w.]+@[a-z]{2,}$"},
        "map": {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {}},
    },
    "required": ["n"],
    "additionalProperties": False,
}

ZOD_3 = {
    "$schema": DRAFT_7,
    "$ref": "#/definitions/answer",
    "definitions": {
        "answer": {
            "type": "object",
            "properties": {
                "pair": {
                    "type": "array",
                    "minItems": 2,
                    "maxItems": 2,
                    "items": [{"type": "string"}, {"type": "number"}],
                },
                "kids": {"type": "array", "items": {"$ref": "#/definitions/answer"}},
            },
            "additionalProperties": False,
        }
    },
}

LANGCHAIN = {
    "title": "Joke",
    "description": "Joke to tell user.",
    "type": "object",
    "properties": {"setup": {"type": "string"}, "rating": {"type": "integer", "default": None}},
    "required": ["setup"],
    "strict": True,
}

INSTRUCTOR = {
    "type": "object",
    "title": "IterableUser",
    "$defs": {"User": {"type": "object", "properties": {"name": {"type": "string"}}}},
    "properties": {"tasks": {"type": "array", "items": {"$ref": "#/$defs/User"}}},
    "required": ["tasks"],
}


def test_a_schema_as_pydantic_makes_it() -> None:
    pet, pair, data = (PYDANTIC["properties"][name] for name in ("pet", "pair", "data"))
    assert for_cli(PYDANTIC) == {
        **PYDANTIC,
        "properties": {
            **PYDANTIC["properties"],
            "pet": {"oneOf": pet["oneOf"]},
            "pair": {
                "maxItems": 2,
                "minItems": 2,
                "items": {"anyOf": pair["prefixItems"]},
                "type": "array",
            },
            "data": {"format": data["format"], "type": "string"},
        },
    }


def test_a_schema_as_zod_4_makes_it() -> None:
    assert for_cli(ZOD_4) == {key: ZOD_4[key] for key in ZOD_4 if key != "$schema"}


def test_a_schema_as_zod_3_makes_it() -> None:
    answer = {
        "type": "object",
        "properties": {
            "pair": {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": {"anyOf": [{"type": "string"}, {"type": "number"}]},
            },
            "kids": {"type": "array", "items": {"$ref": "#/definitions/answer"}},
        },
        "additionalProperties": False,
    }
    assert for_cli(ZOD_3) == {**answer, "definitions": {"answer": answer}}


def test_a_schema_as_langchain_makes_it() -> None:
    assert for_cli(LANGCHAIN) == {key: LANGCHAIN[key] for key in LANGCHAIN if key != "strict"}


def test_a_schema_as_instructor_makes_it() -> None:
    assert for_cli(INSTRUCTOR) == INSTRUCTOR
