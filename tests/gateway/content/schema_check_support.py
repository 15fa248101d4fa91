"""Schemas in short, and the first problem of a value."""

from typing import Any

import anyio

from gateway.content.schema_check import CheckedSchema

Schema = dict[str, Any]

DRAFT_4 = "http://json-schema.org/draft-04/schema#"

DRAFT_7 = "http://json-schema.org/draft-07/schema#"

DRAFT_2019 = "https://json-schema.org/draft/2019-09/schema"

DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"

INTEGER = {"type": "integer"}

STRING = {"type": "string"}


def about(**properties: Any) -> Schema:
    """A schema of an object with these properties."""
    return {"type": "object", "properties": properties}


def problem(schema: Schema, value: Any) -> str | None:
    checked = CheckedSchema(schema)
    return anyio.run(checked.check, value, 0)
