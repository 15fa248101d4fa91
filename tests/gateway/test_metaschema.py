"""The quick check of schemas says what the library's does."""

import time
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_specifications import REGISTRY as SPECIFICATIONS

from gateway.metaschema import _SHAPES, first_problem

Schema = dict[str, Any]

DIALECTS: list[Any] = [
    jsonschema.Draft4Validator,
    jsonschema.Draft6Validator,
    jsonschema.Draft7Validator,
    jsonschema.Draft201909Validator,
    jsonschema.Draft202012Validator,
]


def keywords_of(dialect: Any) -> set[str]:
    """Every keyword that the dialect's schema of schemas says something about."""
    schemas = [dialect.META_SCHEMA]
    for part in dialect.META_SCHEMA.get("allOf", ()):
        folder = dialect.META_SCHEMA["$id"].rpartition("/")[0]
        schemas.append(SPECIFICATIONS.contents(f"{folder}/{part['$ref']}"))
    return {key for schema in schemas for key in schema["properties"]}


KEYWORDS = st.sampled_from(sorted(set().union(*map(keywords_of, DIALECTS), {"x-any"})))
VALUES = st.sampled_from(
    [None, True, False, 0, 1, -1, 2.0, 0.5, "", "string", "object", [], ["a"], ["a", "a"], [1],
     ["string", "null"], ["string", "string"], [{}], [True], [{"type": 3}], {}, {"a": {}},
     {"a": True}, {"a": 3}, {"a": ["b"]}, {"a": ["b", "b"]}, {"type": "string"}, {"type": "x"}],
)  # fmt: skip
SCHEMAS = st.recursive(
    st.dictionaries(KEYWORDS, VALUES, max_size=3),
    lambda inner: st.dictionaries(
        KEYWORDS,
        VALUES | inner | st.lists(inner, max_size=2) | st.dictionaries(KEYWORDS, inner, max_size=2),
        max_size=3,
    ),
    max_leaves=4,
)


def by_library(schema: Schema, dialect: Any) -> list[tuple[list[str | int], str]]:
    """Every place and problem that the library finds."""
    errors = dialect(dialect.META_SCHEMA).iter_errors(schema)
    return [(list(error.path), error.message) for error in errors]


@pytest.mark.parametrize("dialect", _SHAPES)
def test_the_table_has_every_keyword_of_the_dialect(dialect: Any) -> None:
    assert keywords_of(dialect) <= set(_SHAPES[dialect])


@pytest.mark.parametrize("dialect", DIALECTS)
@given(schema=SCHEMAS)
def test_it_says_what_the_library_says(dialect: Any, schema: Schema) -> None:
    problem, problems = first_problem(schema, dialect), by_library(schema, dialect)
    if problem is None:
        assert problems == []
    else:
        # the library names the whole of what may be one thing or another
        path = list(problem.path)
        assert any(path[: len(place)] == place for place, _ in problems)


def test_the_place_is_that_of_the_part() -> None:
    part = {"items": {"anyOf": [{}, {"minimum": "0"}]}}
    problem = first_problem({"properties": {"a": part}}, jsonschema.Draft202012Validator)
    assert problem is not None
    assert list(problem.path) == ["properties", "a", "items", "anyOf", 1, "minimum"]
    assert problem.message == "'0' is not of type 'number'"


@pytest.mark.parametrize("dialect", DIALECTS[2:])
def test_ten_thousand_parts_take_a_moment(dialect: Any) -> None:
    parts = {f"p{number}": {"enum": ["a", number], "title": "T"} for number in range(10_000)}
    started = time.monotonic()
    assert first_problem({"type": "object", "properties": parts}, dialect) is None
    assert time.monotonic() - started < 2  # 5 s and more by the library alone
