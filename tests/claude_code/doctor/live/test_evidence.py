"""What an accepted and what a refused request say about the table."""

from typing import Any

import pytest

from gateway_claude_code.doctor.live.evidence import Accepted, Evidence, Refused, judge, settled
from gateway_claude_code.doctor.live.probes import Probe, plan
from gateway_claude_code.facts.documented import documented
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.request.lessons import Lesson

OPUS, HAIKU = documented("opus").facts, documented("haiku").facts
YES = Accepted(model="claude-opus-5-5")


def no(fact: str | None = None, value: object = None) -> Refused:
    lesson = Lesson(fact=fact, value=value) if fact is not None else None
    return Refused(said="no", lesson=lesson)


def probe(facts: ModelFacts, name: str) -> Probe:
    return next(one for one in plan(facts, system_note=True) if one.name == name)


def found(facts: ModelFacts, name: str, outcome: Any) -> tuple[Evidence, ...]:
    return judge(probe(facts, name), facts, outcome)


def verdicts(evidence: tuple[Evidence, ...]) -> dict[str, str]:
    return {one.fact: one.verdict for one in evidence}


def values(*evidence: Evidence) -> dict[str, Any]:
    return {fact: value for fact, (value, _) in settled(evidence).items()}


def test_an_answer_confirms_everything_that_was_sent() -> None:
    evidence = found(OPUS, "everything accepted", YES)
    assert {one.verdict for one in evidence} == {"holds"}
    assert values(*evidence) == {
        fact: getattr(OPUS, fact)
        for fact in ("thinking", "efforts", "output_format", "cache_marks", "system_messages")
    }


def test_a_refusal_differs_in_what_it_names_and_hides_the_rest() -> None:
    evidence = found(OPUS, "everything accepted", no("output_format", value=False))
    assert verdicts(evidence)["output_format"] == "differs"
    assert {one.verdict for one in evidence if one.fact != "output_format"} == {"unknown"}
    assert values(*evidence) == {"output_format": False}


@pytest.mark.parametrize(
    ("name", "lesson"),
    [
        ("forced tool choice", no("forced_tool_choice", value=False)),
        ("sampling", no("sampling", "defaults")),
        ("without thinking", no("thinking", OPUS.thinking)),
        ("output limit", no("max_output_tokens", 128_000)),
    ],
)
def test_a_refusal_that_was_expected_confirms(name: str, lesson: Refused) -> None:
    (one,) = found(OPUS, name, lesson)
    assert (one.verdict, one.expected, one.seen) == ("holds", "refused", "refused")
    assert values(one) == {one.fact: getattr(OPUS, one.fact)}


@pytest.mark.parametrize(
    ("facts", "name", "now"),
    [
        (
            OPUS,
            "forced tool choice",
            {"forced_tool_choice": True, "forced_while_thinking": True},
        ),
        (OPUS, "sampling", {"sampling": "one"}),
        (OPUS, "without thinking", {"thinking": {"adaptive", "disabled"}}),
        (HAIKU, "without thinking", {"effort_without_thinking": None}),
        (OPUS, "output limit", {"max_output_tokens": 128_001}),
    ],
)
def test_an_answer_that_was_not_expected_differs(
    facts: ModelFacts, name: str, now: dict[str, Any]
) -> None:
    evidence = found(facts, name, YES)
    assert verdicts(evidence) == dict.fromkeys(now, "differs")
    assert values(*evidence) == now


def test_the_limit_is_what_the_refusal_says() -> None:
    (one,) = found(OPUS, "output limit", no("max_output_tokens", 64_000))
    assert (one.verdict, one.value) == ("differs", 64_000)


def test_words_that_teach_nothing_decide_nothing() -> None:
    (one,) = found(OPUS, "sampling", no())
    assert (one.verdict, one.seen, one.said) == ("unknown", None, "no")
    assert values(one) == {}


def test_a_fact_that_shows_besides_is_told_too() -> None:
    evidence = found(HAIKU, "forced tool choice", no("forced_while_thinking", value=False))
    assert verdicts(evidence) == {
        "forced_tool_choice": "unknown",
        "thinking": "unknown",
        "forced_while_thinking": "differs",
    }


def test_what_was_found_of_a_set_adds_up() -> None:
    sonnet = documented("sonnet").facts
    gone = found(sonnet, "everything accepted", no("thinking", frozenset({"adaptive"})))
    more = found(sonnet, "without thinking", YES)
    assert values(*gone, *more)["thinking"] == {"adaptive", "disabled"}
    fewer = found(OPUS, "everything accepted", no("efforts", ("low", "medium")))
    assert values(*fewer)["efforts"] == ("low", "medium")


def test_a_fact_that_was_seen_in_part_is_not_confirmed() -> None:
    seen = found(HAIKU, "everything accepted", YES)
    hidden = found(HAIKU, "forced tool choice", no("forced_tool_choice", value=False))
    assert "thinking" not in values(*seen, *hidden)


def test_the_same_difference_is_told_once() -> None:
    (thinking, *_) = found(HAIKU, "everything accepted", no("thinking", frozenset({"adaptive"})))
    again = found(HAIKU, "without thinking", no("thinking", frozenset({"adaptive"})))
    assert [one.repeats(thinking) for one in again] == [False, True]
