"""How much of a schema the API's own structured output takes, and that the work is linear."""

import json
from contextlib import suppress
from typing import Any

import pytest

from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.answer_schemas.merge import NotNative
from gateway_claude_code.request.answer_schemas.output_format import OutputFormat
from tests.claude_code.request.answer_schemas.schema_support import (
    INTEGER,
    NULL,
    STRING,
    Schema,
    about,
    native,
    reason,
)
from tests.work import lines


def many(count: int, part: Schema, required: int = 0) -> Schema:
    names = [f"p{number}" for number in range(count)]
    return {
        "type": "object",
        "properties": dict.fromkeys(names, part),
        "required": names[:required],
    }


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (many(24, STRING), ""),
        (many(40, STRING, required=16), ""),
        (many(25, STRING), "it has 25 optional properties, more than 24"),
        (many(5, many(5, STRING), required=5), "it has 25 optional properties, more than 24"),
        (
            {**many(5, {"$ref": "#/$defs/A"}, required=5), "$defs": {"A": many(5, STRING)}},
            "it has 25 optional properties, more than 24",
        ),
        (many(16, {"type": ["string", "null"]}), ""),
        (many(17, {"type": ["string", "null"]}), "it has 17 unions, more than 16"),
        (many(17, {"anyOf": [STRING, INTEGER]}), "it has 17 unions, more than 16"),
        (many(17, {"anyOf": [{"const": "a"}, NULL]}), ""),
        (many(6000, STRING, required=6000), "it has more than 5000 parts"),
    ],
)  # fmt: skip
def test_the_documented_limits(schema: Schema, why: str) -> None:
    assert AnswerSchema.of(schema).not_native == why


def test_optional_properties_that_may_be_null_are_required_if_there_are_too_many() -> None:
    schema = many(20, STRING)
    schema["properties"] |= {f"n{n}": {"type": ["string", "null"]} for n in range(10)}
    assert native(schema)["required"] == [f"n{number}" for number in range(10)]


@pytest.mark.parametrize("keyword", [{"maxProperties": 30}, {"dependentRequired": {"n0": ["p0"]}}])
def test_not_where_one_more_property_may_be_one_too_many(keyword: Schema) -> None:
    schema = {**many(20, STRING), **keyword}
    schema["properties"] |= {f"n{n}": {"type": ["string", "null"]} for n in range(10)}
    assert reason(schema) == "it has 30 optional properties, more than 24"


def a_tower(levels: int, **beside: Any) -> Schema:
    """Each of the definitions uses the next one twice."""
    twice = {
        f"D{n}": {"allOf": [{"$ref": f"#/$defs/D{n + 1}"}, {"$ref": f"#/$defs/D{n + 1}"}], **beside}
        for n in range(levels)
    }
    return {"$ref": "#/$defs/D0", "$defs": {**twice, f"D{levels}": about(STRING)}}


DEEP: Schema = STRING

for _ in range(300):
    DEEP = about(DEEP)


SHARED = 1_000_000
"""Lines for a schema whose definitions use each other; written out, a tower has 2**40 parts."""


@pytest.mark.parametrize(
    "schema",
    [
        about({"enum": [f"v{n}" for n in range(10_000)]}),
        about({"enum": [n if n % 2 else f"v{n}" for n in range(10_000)]}),
        about({"anyOf": [{"const": n} for n in range(4000)]}),
        {"type": "object", "properties": {f"p{n}": {"enum": ["a", n]} for n in range(10_000)}},
        {**many(10_000, STRING, required=10_000)},
        {"allOf": [many(3000, STRING), *({"properties": {f"q{n}": STRING}} for n in range(3000))]},
        about({"anyOf": [{"properties": {f"q{n}": STRING}} for n in range(4000)], **many(2000, STRING)}),
        a_tower(40),
        a_tower(40, description="D"),
        DEEP,
    ],
    ids=["enum", "mixed enum", "constants", "enums", "properties", "allOf", "anyOf", "tower",
         "described tower", "deep"],
)  # fmt: skip
def test_the_work_is_linear(schema: Schema) -> None:
    def work() -> None:
        with suppress(NotNative):
            OutputFormat.of(schema)

    assert lines(work) < 20 * len(json.dumps(schema)) + SHARED
