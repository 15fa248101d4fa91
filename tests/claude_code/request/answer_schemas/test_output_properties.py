"""The API's own structured output of schemas made up at random, and of those that libraries make."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.content.schema_check import CheckedSchema
from gateway.json_schema import InvalidSchema
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.answer_schemas.output_format import OutputFormat
from gateway_claude_code.response.json_names import Restorer
from tests.claude_code.request.answer_schemas.schema_support import (
    DRAFT_4,
    DRAFT_7,
    INTEGER,
    NULL,
    SCHEMAS,
    STRING,
    Schema,
    as_sent,
    subset_problems,
    values_of,
)

# -- what libraries make ------------------------------------------------------------------


@pytest.mark.parametrize(("schema", "value", "sent"), SCHEMAS.values(), ids=SCHEMAS)
def test_what_libraries_make_is_in_the_subset(schema: Schema, value: Any, sent: Any) -> None:
    form = OutputFormat.of(schema)
    assert subset_problems(form.schema) == []
    assert CheckedSchema(form.schema).problem(sent) is None
    restorer = Restorer(form)
    assert json.loads(restorer.feed(json.dumps(sent)) + restorer.end()) == value
    assert AnswerSchema.of(schema).checked.problem(value) is None


# -- any value of the subset is one of the client's ---------------------------------------

NAMES = st.sampled_from(["a", "b", "first name", "größe", "a/b", "value"])

LEAVES = st.sampled_from(
    [STRING, INTEGER, {"type": "boolean"}, NULL, {"enum": ["x", 1, None]}, {"const": "größe"},
     {"type": ["string", "null"]}, {"type": "string", "nullable": True}, {"type": "number"}],
)  # fmt: skip


def _objects(parts: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Objects as clients write them: open or closed, with optional properties."""
    return st.builds(
        lambda properties, optional, closing: {
            "type": "object",
            "properties": properties,
            "required": [name for name in properties if name not in optional],
            **closing,
        },
        st.dictionaries(NAMES, parts, min_size=1, max_size=4),
        st.sets(NAMES),
        st.sampled_from([{}, {"additionalProperties": False}]),
    )


CLIENTS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        _objects(parts),
        st.builds(lambda part: {"type": "array", "items": part}, parts),
        st.builds(lambda part, other: {"anyOf": [part, other]}, parts, parts),
        st.builds(lambda part: {"allOf": [part]}, parts),
    ),
    max_leaves=6,
)


@given(data=st.data(), schema=CLIENTS)
def test_a_value_of_the_subset_is_one_of_the_clients(data: st.DataObject, schema: Schema) -> None:
    form = OutputFormat.of(schema)
    assert subset_problems(form.schema) == []
    value = data.draw(values_of(form.schema, form.schema.get("$defs", {})))
    assert CheckedSchema(form.schema).problem(value) is None
    restorer = Restorer(form)
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    ends = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]
    restored = "".join(map(restorer.feed, pieces)) + restorer.end()
    assert CheckedSchema(schema).problem(json.loads(restored)) is None
    assert as_sent(json.loads(restored), form) == value


# -- any schema at all ---------------------------------------------------------------------

DIALECTS = [
    "http://json-schema.org/draft-03/schema#", DRAFT_4, DRAFT_7,
    "https://json-schema.org/draft/2020-12/schema",
]  # fmt: skip

WORDS = st.sampled_from(
    ["$ref", "type", "enum", "const", "properties", "required", "additionalProperties", "items",
     "prefixItems", "allOf", "anyOf", "oneOf", "minItems", "minLength", "minimum",
     "exclusiveMinimum", "pattern", "format", "nullable", "description", "default", "not"],
)  # fmt: skip

ODD = st.sampled_from(
    [None, True, False, 0, 2.0, "x", "string", "#", [], {}, ["a"], [{}], [3], {"a": {}}, {"a": 3}]
)

ANY = st.recursive(
    st.dictionaries(WORDS, ODD, max_size=3),
    lambda inner: st.dictionaries(
        WORDS, ODD | inner | st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner), max_size=3
    ),
    max_leaves=4,
)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(schema=ANY)
def test_any_valid_schema_is_native_or_says_why(dialect: str, schema: Schema) -> None:
    with suppress(InvalidSchema):
        found = AnswerSchema.of({"$schema": dialect, **schema})
        assert (found.native is None) is bool(found.not_native)
        assert found.native is None or subset_problems(found.native) == []
