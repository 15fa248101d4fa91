"""Which requests are made to try the facts about a model, and that they really hold what they try."""

import json
from typing import Any

import pytest

from gateway.types import Target
from gateway_claude_code.doctor.live.probes import MODELS, MOST_REQUESTS, Probe, plan
from gateway_claude_code.facts.documented import MODELS as TABLE
from gateway_claude_code.facts.documented import documented
from gateway_claude_code.request.lessons import lesson_of

OPUS, SONNET, HAIKU = (documented(name).facts for name in MODELS)
FOUR_SIX, FOUR_FIVE = (documented(f"claude-sonnet-{name}").facts for name in ("4-6", "4-5"))


def probe(facts: Any, name: str, *, system_note: bool = True) -> Probe:
    return next(one for one in plan(facts, system_note=system_note) if one.name == name)


def target(model: str = "sonnet") -> Target:
    return Target(model=model, backend="claude-code", name=model)


def settings(one: Probe) -> dict[str, Any]:
    return one.prepared(target()).settings(seeded=True)


def body(one: Probe) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(settings(one)["env"]["CLAUDE_CODE_EXTRA_BODY"])
    return made


def tried(one: Probe) -> list[str]:
    return [trial.tried for trial in one.trials]


def test_there_are_at_most_fifteen_requests() -> None:
    assert sum(len(plan(facts, system_note=True)) for facts in (OPUS, SONNET, HAIKU)) == 15
    assert MOST_REQUESTS == 15


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_each_model_of_the_table_can_be_tried(row: Any) -> None:
    for one in plan(row.facts, system_note=True):
        prepared = one.prepared(target(row.name))
        assert not prepared.demanded
        assert prepared.plain or one.request.tools


@pytest.mark.parametrize(
    ("facts", "thinking", "effort"),
    [
        (OPUS, None, "max"),
        (SONNET, "between_tools", "high"),
        (HAIKU, "disabled", "high"),
        (FOUR_SIX, "disabled", "max"),
        (FOUR_FIVE, "disabled", None),
    ],
    ids=["opus", "sonnet", "haiku", "4.6", "4.5"],
)
def test_all_that_is_accepted_goes_into_one_request(
    facts: Any, thinking: str | None, effort: str | None
) -> None:
    one = probe(facts, "everything accepted")
    assert body(one).get("thinking", {}).get("type") == thinking
    assert settings(one).get("effortLevel") == effort
    assert body(one)["output_config"]["format"]["type"] == "json_schema"
    assert all(trial.accepted == getattr(facts, trial.fact) for trial in one.trials)


def test_the_clis_own_system_message_counts_only_where_it_sends_one() -> None:
    with_note = probe(OPUS, "everything accepted")
    without = probe(OPUS, "everything accepted", system_note=False)
    assert {one.fact for one in with_note.trials} - {one.fact for one in without.trials} == {
        "system_messages"
    }


@pytest.mark.parametrize("facts", [OPUS, HAIKU, FOUR_SIX, FOUR_FIVE])
def test_a_choice_is_forced_whatever_the_table_says(facts: Any) -> None:
    one = probe(facts, "forced tool choice")
    assert body(one)["tool_choice"] == {"type": "any"}
    assert body(one).get("thinking", {}).get("type") in (None, "enabled")


@pytest.mark.parametrize(
    ("facts", "sent", "accepted"),
    [
        (OPUS, {"temperature": 0.5}, "one"),
        (FOUR_SIX, {"temperature": 0.5, "top_p": 0.5}, "both"),
    ],
)
def test_sampling_is_tried_one_step_beyond_the_table(
    facts: Any, sent: dict[str, float], accepted: str
) -> None:
    one = probe(facts, "sampling")
    assert {name: body(one)[name] for name in ("temperature", "top_p") if name in body(one)} == sent
    assert [trial.accepted for trial in one.trials] == [accepted]


@pytest.mark.parametrize(
    ("facts", "effort", "fact"),
    [
        (OPUS, None, "thinking"),
        (SONNET, None, "thinking"),
        (HAIKU, "xhigh", "effort_without_thinking"),
        (FOUR_SIX, "max", "effort_without_thinking"),
        (FOUR_FIVE, None, "thinking"),
    ],
    ids=["opus", "sonnet", "haiku", "4.6", "4.5"],
)
def test_thinking_is_turned_off(facts: Any, effort: str | None, fact: str) -> None:
    one = probe(facts, "without thinking")
    assert body(one)["thinking"] == {"type": "disabled"}
    assert settings(one).get("effortLevel") == effort
    assert [trial.fact for trial in one.trials] == [fact]


def test_one_token_too_many_is_asked_for_past_the_clis_own_limit() -> None:
    one = probe(OPUS, "output limit")
    assert body(one)["max_tokens"] == 128_001
    assert settings(one)["env"]["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "64"


@pytest.mark.parametrize(
    ("facts", "name", "said", "fact"),
    [
        (OPUS, "everything accepted", "output_config.format: not supported", "output_format"),
        (SONNET, "everything accepted", "thinking: between_tools is unknown", "thinking"),
        (OPUS, "forced tool choice", "tool_choice: not supported", "forced_tool_choice"),
        (OPUS, "sampling", "`temperature` is deprecated for this model.", "sampling"),
        (OPUS, "output limit", "max_tokens: 128001 > 64000", "max_output_tokens"),
    ],
)
def test_a_refusal_is_about_what_was_sent(facts: Any, name: str, said: str, fact: str) -> None:
    lesson = lesson_of(said, probe(facts, name).sent(target()))
    assert lesson is not None
    assert lesson.fact == fact


def test_nothing_of_the_users_is_sent() -> None:
    for one in plan(OPUS, system_note=True):
        assert one.request.system == "Be brief."
        assert len(one.request.messages) == 1
