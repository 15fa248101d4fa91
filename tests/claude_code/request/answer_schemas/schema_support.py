"""Schemas as clients' libraries make them, and the API's subset in a few lines."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.answer_schemas.output_format import OutputFormat

Schema = dict[str, Any]

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
INTEGER = {"type": "integer"}
STRING = {"type": "string"}
NULL = {"type": "null"}

KEY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6",
           "uuid")  # fmt: skip
ALLOWED = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems"},
    "string": {"format", "pattern", "enum", "const"},
    None: {"anyOf", "enum", "const", "$ref"},
}
ANNOTATIONS = {"type", "title", "description", "$defs"}


def subset_problems(schema: Schema) -> list[str]:
    """Where a schema is outside the subset of platform docs, "Structured outputs"."""
    definitions = schema.get("$defs", {})
    if schema.get("type") != "object":
        return ["the root is not an object"]
    return [
        problem
        for part in (schema, *definitions.values())
        for problem in _problems(part, definitions)
    ]


def _problems(part: Schema, definitions: Mapping[str, Schema]) -> Iterator[str]:
    kind = part.get("type")
    allowed = ALLOWED.get(kind if isinstance(kind, str) else None, {"enum", "const"})
    if unknown := set(part) - allowed - ANNOTATIONS:
        yield f"{unknown} in {part}"
    if kind == "object" and part.get("additionalProperties") is not False:
        yield f"open: {part}"
    properties = part.get("properties", {})
    if kind == "object" and not set(part.get("required", ())) <= set(properties):
        yield f"required and not there: {part}"
    yield from (f"key {key!r}" for key in properties if not KEY.fullmatch(key))
    if part.get("minItems", 0) not in (0, 1) or part.get("format", "uuid") not in FORMATS:
        yield f"limits: {part}"
    if any(isinstance(value, list | dict) for value in part.get("enum", [part.get("const")])):
        yield f"an enum of more than plain values: {part}"
    if (reference := part.get("$ref")) and reference.removeprefix("#/$defs/") not in definitions:
        yield f"a reference to nowhere: {part}"
    items = [part["items"]] if "items" in part else []
    for inner in (*properties.values(), *part.get("anyOf", ()), *items):
        yield from _problems(inner, definitions)


def values_of(part: Schema, definitions: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    """Values of a schema in the subset, without patterns and formats."""
    if "$ref" in part:
        return values_of(definitions[part["$ref"].removeprefix("#/$defs/")], definitions)
    if "anyOf" in part:
        return st.one_of([values_of(branch, definitions) for branch in part["anyOf"]])
    if "enum" in part or "const" in part:
        return st.sampled_from(part.get("enum", [part.get("const")]))
    kinds = part["type"]
    if isinstance(kinds, list):
        return st.one_of([values_of({"type": kind}, definitions) for kind in kinds])
    match kinds:
        case "object":
            made = {
                name: values_of(inner, definitions) for name, inner in part["properties"].items()
            }
            required = part.get("required", ())
            return st.fixed_dictionaries(
                {name: made[name] for name in required},
                optional={name: made[name] for name in made if name not in required},
            )
        case "array":
            least = part.get("minItems", 0)
            return st.lists(values_of(part["items"], definitions), min_size=least, max_size=3)
        case "string":
            return st.text(max_size=5) | st.sampled_from(
                ['"', "\\", "{}[],:", '"first_name":', "é"]
            )
        case "integer":
            return st.integers()
        case "number":
            return st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
    return st.none()


def as_sent(value: Any, form: OutputFormat) -> Any:
    """The client's value as the model would have said it."""
    names = {name: key for key, name in form.names.items()}

    def renamed(item: Any) -> Any:
        if isinstance(item, dict):
            return {names.get(key, key): renamed(inner) for key, inner in item.items()}
        return [renamed(inner) for inner in item] if isinstance(item, list) else item

    return {"value": renamed(value)} if form.wrapped else renamed(value)


PYDANTIC = {
    "$defs": {
        "Kind": {"enum": ["a", "b"], "title": "Kind", "type": "string"},
        "Cat": {
            "properties": {"kind": {"const": "cat", "title": "Kind", "type": "string"}},
            "required": ["kind"],
            "title": "Cat",
            "type": "object",
        },
        "Dog": {
            "properties": {
                "kind": {"const": "dog", "title": "Kind", "type": "string"},
                "name": {"pattern": "^\\w+$", "type": "string"},
            },
            "required": ["kind", "name"],
            "type": "object",
        },
    },
    "properties": {
        "kind": {"$ref": "#/$defs/Kind", "description": "Which.", "default": "a"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Note"},
        "pet": {
            "discriminator": {
                "mapping": {"cat": "#/$defs/Cat", "dog": "#/$defs/Dog"},
                "propertyName": "kind",
            },
            "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
        },
        "pair": {
            "maxItems": 2,
            "minItems": 2,
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "type": "array",
        },
        "score": {"exclusiveMinimum": 0, "maximum": 1, "title": "Score", "type": "number"},
    },
    "required": ["pet", "pair"],
    "title": "Answer",
    "type": "object",
}
OF_PYDANTIC = {"pet": {"kind": "dog", "name": "Rex"}, "pair": [1, "x"], "note": None, "score": 0.5}

ZOD_4 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        "email": {"type": "string", "format": "email", "pattern": "^(?!\\.)[\\w.]+@[a-z]{2,}$"},
        "role": {"anyOf": [{"type": "string", "const": "x"}, {"type": "string", "const": "y"}]},
    },
    "required": ["n", "email", "role"],
    "additionalProperties": False,
}
OF_ZOD_4 = {"n": 3, "email": "a@bc", "role": "y"}

ZOD_3 = {
    "$schema": "http://json-schema.org/draft-07/schema#",
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
                "first name": {"type": ["string", "null"]},
            },
            "additionalProperties": False,
        }
    },
}
OF_ZOD_3 = {"pair": ["a", 1], "first name": "Ann"}
ZOD_3_SENT = {"pair": ["a", 1], "first_name": "Ann"}

LANGCHAIN = {
    "title": "Joke",
    "description": "Joke to tell user.",
    "type": "object",
    "properties": {"setup": {"type": "string"}, "rating": {"type": "integer", "default": None}},
    "required": ["setup"],
    "strict": True,
}
OF_LANGCHAIN = {"setup": "Why?"}

INSTRUCTOR = {
    "type": "object",
    "title": "IterableUser",
    "$defs": {"User": {"type": "object", "properties": {"name": {"type": "string"}}}},
    "properties": {"tasks": {"type": "array", "items": {"$ref": "#/$defs/User"}}},
    "required": ["tasks"],
}
OF_INSTRUCTOR = {"tasks": [{"name": "Ann"}, {}]}

A_LIST = {"type": "array", "items": {"type": "object", "properties": {"größe": {"type": "number"}}}}
OF_A_LIST = [{"größe": 1.5}]
A_LIST_SENT = {"value": [{"grosse": 1.5}]}

SCHEMAS: dict[str, tuple[Schema, Any, Any]] = {
    "Pydantic": (PYDANTIC, OF_PYDANTIC, OF_PYDANTIC),
    "Zod 4": (ZOD_4, OF_ZOD_4, OF_ZOD_4),
    "Zod 3": (ZOD_3, OF_ZOD_3, ZOD_3_SENT),
    "LangChain": (LANGCHAIN, OF_LANGCHAIN, OF_LANGCHAIN),
    "instructor": (INSTRUCTOR, OF_INSTRUCTOR, OF_INSTRUCTOR),
    "a list": (A_LIST, OF_A_LIST, A_LIST_SENT),
}


def closed(properties: Schema, *required: str, **more: Any) -> Schema:
    """An object in the subset."""
    wanted = {"required": list(required)} if required else {}
    closed = {"additionalProperties": False}
    return {"type": "object", "properties": properties, **wanted, **closed, **more}


def about(part: Any, **beside: Any) -> Schema:
    """A client's schema of an object with one property, required."""
    return {"type": "object", "properties": {"a": part}, "required": ["a"], **beside}


def native(schema: Schema) -> Schema:
    found = AnswerSchema.of(schema)
    assert found.not_native == ""
    assert found.native is not None
    assert subset_problems(found.native) == []
    return found.native


def said(part: Any, dialect: str = "", **beside: Any) -> Schema:
    """What becomes of a schema within the schema."""
    beside = {"$schema": dialect, **beside} if dialect else beside
    found: Schema = native(about(part, **beside))["properties"]["a"]
    return found


def reason(schema: Schema) -> str:
    found = AnswerSchema.of(schema)
    assert found.native is None
    assert found.format is None
    return found.not_native
