"""Short ways to the schema that the CLI is given."""

from typing import Any

from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema

Schema = dict[str, Any]

DRAFT_4 = "http://json-schema.org/draft-04/schema#"

DRAFT_7 = "http://json-schema.org/draft-07/schema#"

DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"

INTEGER = {"type": "integer"}

STRING = {"type": "string"}


def for_cli(schema: Schema) -> Schema:
    return AnswerSchema.of(schema).for_cli


def common(part: Schema, dialect: str = DRAFT_2020) -> Schema:
    """What becomes of a schema within the schema."""
    schema = {"$schema": dialect, "type": "object", "properties": {"a": part}}
    answer = AnswerSchema.of(schema)
    assert not answer.wrapped
    assert set(answer.for_cli) == {"type", "properties"}
    found: Schema = answer.for_cli["properties"]["a"]
    return found


def wrapped(inner: Schema, **shared: Any) -> Schema:
    return {
        "type": "object",
        "properties": {"value": inner},
        "required": ["value"],
        "additionalProperties": False,
        **shared,
    }
