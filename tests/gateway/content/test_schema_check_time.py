"""Checks that recursion or size could draw out: each ends in time."""

import time
from typing import Any

import pytest

from gateway.content import schema_check
from gateway.content.schema_check import SECONDS, CheckedSchema, in_another_process
from gateway.json_schema import InvalidSchema
from tests.gateway.content.schema_check_support import (
    DRAFT_7,
    DRAFT_2019,
    INTEGER,
    Schema,
    about,
    problem,
)

TREE = about(kids={"type": "array", "items": {"$ref": "#"}}, n=INTEGER)


def test_a_recursive_schema() -> None:
    assert problem(TREE, {"kids": [{"kids": [{"n": 1}]}]}) is None
    assert problem(TREE, {"kids": [{"kids": [{"n": "x"}]}]}) == (
        'kids[0].kids[0].n: "x" is not of type "integer"'
    )


def test_references_that_double_again_and_again_are_refused() -> None:
    with pytest.raises(InvalidSchema, match="more than 200000 parts when references are followed"):
        CheckedSchema(EXPONENTIAL)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"kids": [value]}
    return value


TWENTY: dict[str, Any] = {}

for _ in range(20):
    TWENTY = {"a": TWENTY}

TWICE = {"$schema": DRAFT_2019, **about(a={"allOf": [{"$recursiveRef": "#"}] * 2})}

EXPONENTIAL = {
    "$ref": "#/$defs/a0",
    "$defs": {
        **{f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(60)},
        "a60": {"type": "object"},
    },
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"$ref": "#"}, {}),
        (TREE, nested(2000)),
        (TWICE, {"a": {"a": TWENTY}}),
        ({"pattern": "^(a|a)*(a|a)*$"}, "a" * 5000 + "b"),
        ({"items": {"pattern": "^(a|aa)+$"}}, ["a" * 100 + "b"] * 1000),
    ],
    ids=[
        "endless",
        "a deep value",
        "exponential recursion",
        "a pattern",
        "many patterns",
    ],
)
def test_a_check_ends_in_time(schema: Schema, value: Any) -> None:
    begin = time.monotonic()
    problem(schema, value)
    assert time.monotonic() - begin < SECONDS * 30  # rather than never


async def test_only_time_on_a_processor_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a process waits for one; here it sleeps."""
    monkeypatch.setattr(schema_check, "SECONDS", 0.3)
    assert await in_another_process(time.sleep, 0.6, late="late") is None
    assert await in_another_process(sum, range(10**11), late="late") == "late"
    assert await in_another_process(sum, range(10), late="late") == 45


async def test_the_clock_counts_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_check, "LONGEST", 0.1)
    assert await in_another_process(time.sleep, 60, late="late") == "late"


MANY = 10_000


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"enum": [number if number % 2 else f"v{number}" for number in range(MANY)]}, 1),
        ({"$schema": DRAFT_7, "enum": [{"a": number} for number in range(MANY)]}, {"a": 1}),
        ({"items": {"enum": [f"v{number}" for number in range(MANY)]}}, ["v9999"] * MANY),
        ({"uniqueItems": True}, [{"a": number} for number in range(MANY)]),
        ({"items": {"anyOf": [{"enum": list(range(MANY))}, {}]}}, ["x"] * 100),
    ],
    ids=["mixed enum", "enum of objects", "many of an enum", "unique objects", "misses"],
)
def test_many_values_take_linear_time(schema: Schema, value: Any) -> None:
    started = time.thread_time()  # of the processor: how busy the machine is does not matter
    checked = CheckedSchema(schema)
    assert checked.problem(value) is None
    assert time.thread_time() - started < SECONDS
