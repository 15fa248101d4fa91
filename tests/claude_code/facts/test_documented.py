"""The table of what the documentation says: which row a name leads to, and what is in it."""

import re

import pytest

from gateway_claude_code.facts.documented import (
    FACT_NAMES,
    FAMILIES,
    MODELS,
    UNKNOWN,
    DocumentedModel,
    documented,
    full_name,
)
from gateway_claude_code.facts.model_facts import EFFORT_LEVELS

ROWS = {row.name: row for row in MODELS}


@pytest.mark.parametrize(
    ("asked", "row"),
    [
        # the CLI's own names
        ("opus", "claude-opus-5-5"),
        ("sonnet", "claude-sonnet-5-5"),
        ("haiku", "claude-haiku-5-5"),
        ("fable", "claude-fable-5-2"),
        ("sonnet[1m]", "claude-sonnet-5-5"),
        # the API's, without and with a date
        ("claude-opus-5", "claude-opus-5"),
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-fable-5", "claude-fable-5"),
        ("claude-fable-5-1", "claude-fable-5-1"),
        ("claude-opus-4-5-20251101", "claude-opus-4-5"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-opus-4-1-20250805", "claude-opus-4-1"),
        ("claude-opus-5-20260724", "claude-opus-5"),
        ("claude-sonnet-4-5-20250929[1m]", "claude-sonnet-4-5"),
        # clouds'
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"),
        ("anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("global.anthropic.claude-opus-5", "claude-opus-5"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-opus-4-8",
         "claude-opus-4-8"),
    ],
)  # fmt: skip
def test_a_name_leads_to_its_row(asked: str, row: str) -> None:
    assert documented(asked) is ROWS[row]


@pytest.mark.parametrize(
    "name",
    [
        "claude-opus-6",
        "claude-opus-5-6",
        "claude-opus-5-51",
        "claude-sonnet-6-20270101",
        "claude-new",
        "gpt-4o",
        "",
    ],
)
def test_an_unknown_model_gets_the_rules_of_the_newest_family(name: str) -> None:
    assert documented(name) is UNKNOWN
    assert documented(name).facts == ROWS["claude-opus-5-5"].facts


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_every_row_is_found_by_its_own_name(row: DocumentedModel) -> None:
    assert documented(row.name) is row


@pytest.mark.parametrize("row", [*MODELS, UNKNOWN], ids=lambda row: row.name)
def test_every_fact_has_a_page(row: DocumentedModel) -> None:
    for fact in FACT_NAMES:
        assert re.fullmatch(r"[a-z0-9-]+(/[a-z0-9-]+)+", row.source(fact)), fact


def test_a_row_s_own_page_has_what_is_new_in_the_model_and_no_more() -> None:
    newest = ROWS["claude-opus-5-5"]
    assert newest.source("forced_tool_choice") == "models/opus-5-5/whats-new-opus-5-5"
    assert newest.source("max_output_tokens") == "models/overview"
    assert ROWS["claude-opus-4-8"].source("forced_tool_choice") == "api/errors"


@pytest.mark.parametrize("name", FAMILIES.values())
def test_short_names_stand_for_models_of_the_table(name: str) -> None:
    assert name in ROWS


@pytest.mark.parametrize(
    ("name", "full"),
    [("haiku", "claude-haiku-5-5"), ("opus[1m]", "claude-opus-5-5"), ("other[1m]", "other")],
)
def test_short_names_are_written_out(name: str, full: str) -> None:
    assert full_name(name) == full


THINKING = {
    "claude-opus-5-5": {"adaptive"},
    "claude-sonnet-5-5": {"adaptive", "between_tools"},
    "claude-haiku-5-5": {"adaptive", "disabled"},
    "claude-fable-5-2": {"adaptive"},
    "claude-fable-5-1": {"adaptive"},
    "claude-fable-5": {"adaptive"},
    "claude-opus-5": {"adaptive", "disabled"},
    "claude-sonnet-5": {"adaptive", "disabled"},
    "claude-opus-4-8": {"adaptive", "disabled"},
    "claude-opus-4-7": {"adaptive", "disabled"},
    "claude-opus-4-6": {"adaptive", "enabled", "disabled"},
    "claude-sonnet-4-6": {"adaptive", "enabled", "disabled"},
    "claude-opus-4-5": {"enabled", "disabled"},
    "claude-sonnet-4-5": {"enabled", "disabled"},
    "claude-haiku-4-5": {"enabled", "disabled"},
    "claude-opus-4-1": {"enabled", "disabled"},
}
"""build-with-claude/thinking-troubleshooting, and the pages of the newest models."""

FOUR_SIX = ("low", "medium", "high", "max")
EFFORTS = {
    "claude-opus-4-6": FOUR_SIX,
    "claude-sonnet-4-6": FOUR_SIX,
    "claude-opus-4-5": ("low", "medium", "high"),
    "claude-sonnet-4-5": (),
    "claude-haiku-4-5": (),
    "claude-opus-4-1": (),
}
"""build-with-claude/effort; all others have all five."""

SETS = {
    "forced_tool_choice": set(ROWS)
    - {"claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1", "claude-fable-5-2"},
    "prefill": {"claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-1"},
    # build-with-claude/mid-conversation-system-messages
    "system_messages": {
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-fable-5-2",
        "claude-fable-5-1",
        "claude-fable-5",
        "claude-opus-5",
        "claude-opus-4-8",
    },
    # build-with-claude/structured-outputs
    "output_format": set(ROWS) - {"claude-opus-4-1"},
    "bound_thinking": {
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-fable-5-2",
        "claude-fable-5-1",
    },
    "thinking_leads_tool_loop": {
        "claude-opus-4-5",
        "claude-sonnet-4-5",
        "claude-haiku-4-5",
        "claude-opus-4-1",
    },
    "cache_marks": set(ROWS),
}


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_thinking_and_effort_are_as_documented(row: DocumentedModel) -> None:
    assert row.facts.thinking == THINKING[row.name]
    assert row.facts.efforts == EFFORTS.get(row.name, EFFORT_LEVELS)


@pytest.mark.parametrize("fact", SETS)
def test_a_fact_holds_for_exactly_these_models(fact: str) -> None:
    assert {row.name for row in MODELS if getattr(row.facts, fact)} == SETS[fact]


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_limits_are_as_documented(row: DocumentedModel) -> None:
    older = row.name.endswith(("4-5", "4-1"))
    output = 32_000 if row.name == "claude-opus-4-1" else 64_000 if older else 128_000
    window = 200_000 if older else 1_000_000
    assert (row.facts.max_output_tokens, row.facts.context_window) == (output, window)


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_sampling_is_as_documented(row: DocumentedModel) -> None:
    one = row.name.endswith(("4-6", "4-5", "4-1"))
    assert row.facts.sampling == ("one" if one else "defaults")


@pytest.mark.parametrize(
    ("model", "level"),
    [
        ("claude-opus-5", "high"),
        ("claude-haiku-5-5", "high"),
        ("claude-sonnet-5-5", "high"),
        ("claude-sonnet-5", None),
        ("claude-opus-4-8", None),
    ],
)
def test_effort_without_thinking_is_limited_where_documented(model: str, level: str | None) -> None:
    assert ROWS[model].facts.effort_without_thinking == level
