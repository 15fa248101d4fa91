"""Facts as YAML and JSON have them."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway_claude_code.facts.documented import FACT_NAMES, MODELS, DocumentedModel
from gateway_claude_code.facts.fact_values import FactValues, from_json, to_json


def test_every_fact_can_be_set() -> None:
    assert set(FactValues.model_fields) == set(FACT_NAMES)


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_every_fact_goes_through_json_unchanged(row: DocumentedModel) -> None:
    for fact in FACT_NAMES:
        value = getattr(row.facts, fact)
        assert from_json(fact, to_json(value)) == value, fact


def test_sets_have_a_fixed_order() -> None:
    assert to_json(frozenset({"disabled", "adaptive"})) == ["adaptive", "disabled"]


def test_only_what_was_given_is_said() -> None:
    assert FactValues().said() == {}
    values = FactValues.model_validate({"prefill": False, "effort_without_thinking": None})
    assert values.said() == {"prefill": False, "effort_without_thinking": None}


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("thinking", []),
        ("thinking", ["sometimes"]),
        ("efforts", ["little"]),
        ("efforts", None),
        ("effort_without_thinking", "none"),
        ("sampling", "all"),
        ("prefill", "perhaps"),
        ("max_output_tokens", 0),
        ("context_window", "big"),
        ("unheard_of", 1),
    ],
)
def test_a_value_that_can_t_be_one_is_refused(fact: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        FactValues.model_validate({fact: value})
    with pytest.raises(ValueError, match=fact):
        from_json(fact, value)
