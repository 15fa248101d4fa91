"""What a name can promise: the description of its model within the entry's limits."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.models.descriptions import least_of, within_limits
from gateway.models.entry import ModelEntry
from gateway.types import ModelDescription, ModelFact

BIG = ModelDescription(
    resolved="big-1",
    context_length=1000,
    max_output_tokens=100,
    parameters=("max_output_tokens", "temperature", "tools"),
    efforts=("low", "medium", "high"),
    thinking="optional",
    inputs=("text", "image"),
    facts=(ModelFact(name="prefill", value="no", origin="documented"),),
)


@pytest.mark.parametrize(
    ("entry", "changed"),
    [
        ({}, {}),
        ({"limits": {"max_output_tokens": 50}}, {"max_output_tokens": 50}),
        ({"limits": {"max_output_tokens": 500}}, {}),
        ({"defaults": {"max_output_tokens": 50}}, {}),
        ({"limits": {"effort": "medium"}}, {"efforts": ("low", "medium")}),
        ({"limits": {"effort": "none"}}, {"efforts": ()}),
        ({"thinking": "off"}, {"thinking": "never"}),
    ],
)
def test_an_entry_s_limits_lower_what_is_promised(entry: Any, changed: Any) -> None:
    found = within_limits(BIG, ModelEntry(backend="b", **entry))
    assert found == replace(BIG, **changed)


def test_a_limit_is_known_also_of_a_model_of_which_nothing_else_is() -> None:
    entry = ModelEntry(backend="b", limits={"max_output_tokens": 50, "effort": "low"})
    assert within_limits(ModelDescription(), entry) == ModelDescription(max_output_tokens=50)


def test_a_model_that_always_thinks_can_t_be_kept_from_it() -> None:
    always = replace(BIG, thinking="always")
    assert within_limits(always, ModelEntry(backend="b", thinking="off")) == always


def test_one_model_keeps_its_facts() -> None:
    assert least_of([BIG]) == BIG


def test_of_several_models_what_holds_for_each_is_promised() -> None:
    small = ModelDescription(
        resolved="small-1",
        context_length=500,
        max_output_tokens=200,
        parameters=("tools", "max_output_tokens"),
        efforts=(),
        thinking="always",
        inputs=("text",),
    )
    assert least_of([BIG, small]) == ModelDescription(
        context_length=500,
        max_output_tokens=100,
        parameters=("max_output_tokens", "tools"),
        efforts=(),
        thinking="optional",
        inputs=("text",),
    )


def test_names_of_the_same_model_are_that_model() -> None:
    found = least_of([BIG, replace(BIG, max_output_tokens=7)])
    assert found is not None
    assert (found.resolved, found.thinking, found.max_output_tokens) == ("big-1", "optional", 7)


def test_what_is_unknown_of_one_is_unknown_of_all() -> None:
    assert least_of([BIG, ModelDescription(context_length=5)]) == ModelDescription(context_length=5)
    assert least_of([BIG, None]) is None
    assert least_of([]) is None
