"""Reading the CLI's answer to `list_models`."""

from typing import Any

import pytest

from gateway_claude_code.facts.asked import AskedModel, read_models

HAIKU: dict[str, Any] = {
    "value": "haiku",
    "resolvedModel": "claude-haiku-5-5",
    "displayName": "Haiku",
    "description": "Fastest",
    "supportsEffort": True,
    "supportedEffortLevels": ["max", "low", "high", "new"],
    "supportsAdaptiveThinking": True,
    "supportsThinkingOff": False,
}
"""As CLI 2.1.330 says it, but for the levels, which are out of order and hold an unknown one."""


def test_a_model_as_the_cli_lists_it() -> None:
    assert read_models({"models": [HAIKU]}) == [
        AskedModel(
            value="haiku",
            model="claude-haiku-5-5",
            description="Fastest",
            efforts=("low", "high", "max"),
            adaptive_thinking=True,
            thinking_off=False,
        )
    ]


def test_what_is_not_said_is_not_known() -> None:
    said = {"value": "a", "resolvedModel": "b"}
    assert read_models({"models": [said]}) == [AskedModel(value="a", model="b")]


@pytest.mark.parametrize(
    ("fields", "efforts"),
    [
        ({"supportsEffort": False}, ()),
        ({"supportsEffort": False, "supportedEffortLevels": ["low"]}, ()),
        ({"supportsEffort": True}, None),
        ({"supportedEffortLevels": ["low"]}, ("low",)),
        ({"supportedEffortLevels": "low"}, None),
    ],
)
def test_efforts(fields: dict[str, Any], efforts: tuple[str, ...] | None) -> None:
    [model] = read_models({"models": [{"value": "a", "resolvedModel": "b", **fields}]})
    assert model.efforts == efforts


def test_a_context_suffix_is_no_part_of_the_full_name() -> None:
    [model] = read_models({"models": [{"value": "x", "resolvedModel": "claude-opus-5-5[1m]"}]})
    assert model.model == "claude-opus-5-5"


@pytest.mark.parametrize(
    "response",
    [
        None,
        [],
        "models",
        {},
        {"models": None},
        {"models": {"value": "a"}},
        {"models": [None, 3, {}, {"value": "a"}, {"resolvedModel": "b"}, {"value": 1}]},
        {"models": [{"value": "", "resolvedModel": "b"}]},
    ],
)
def test_what_is_no_list_of_models_holds_none(response: object) -> None:
    assert read_models(response) == []
