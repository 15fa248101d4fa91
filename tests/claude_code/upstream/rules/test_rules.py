"""Each rule of the stand-in: what it refuses, and what no rule refuses."""

from dataclasses import replace

import pytest

from gateway_claude_code.facts.documented import MODELS, documented
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream import MessagesRequest
from gateway_claude_code.upstream.rules import RULES, first_broken
from tests.claude_code.upstream.rules import answer_cases, conversation_cases, search_cases
from tests.claude_code.upstream.rules.rule_cases import (
    OPUS,
    Case,
    answer_of,
    marked,
    of_object,
    request,
    said,
    text,
)

CASES = {**conversation_cases.CASES, **answer_cases.CASES, **search_cases.CASES}

OF_FACTS = {"output_format.supported", "cache_control.supported"}
"""Rules that no documented model has need of; a fact that is turned around shows them."""

BY_NAME = {rule.name: rule for rule in RULES}


def facts_of(asked: MessagesRequest) -> ModelFacts:
    return documented(asked.model).facts


def rows(part: str) -> list[object]:
    return [
        pytest.param(name, case, asked, id=f"{name}-{number}")
        for name, case in CASES.items()
        for number, asked in enumerate(getattr(case, part))
    ]


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(RULES)


def test_each_rule_has_cases_of_both_kinds() -> None:
    assert CASES.keys() | OF_FACTS == BY_NAME.keys()
    assert all(case.wrong and case.right for case in CASES.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_says_where_it_is_known_from(rule: object) -> None:
    assert getattr(rule, "source", "")


@pytest.mark.parametrize(("name", "case", "asked"), rows("wrong"))
def test_a_wrong_body_is_refused(name: str, case: Case, asked: MessagesRequest) -> None:
    refusal = BY_NAME[name].check(asked, facts_of(asked))
    assert refusal is not None
    assert case.says in refusal.message


@pytest.mark.parametrize(("name", "case", "asked"), rows("right"))
def test_a_right_body_is_refused_by_no_rule(name: str, case: Case, asked: MessagesRequest) -> None:
    assert first_broken(asked, facts_of(asked)) is None


@pytest.mark.parametrize("model", [row.name for row in MODELS])
def test_the_plainest_request_is_right_on_every_model(model: str) -> None:
    asked = request(model=model)
    assert first_broken(asked, facts_of(asked)) is None


def test_a_model_without_structured_output_refuses_it() -> None:
    asked = answer_of(of_object())
    facts = replace(documented(OPUS).facts, output_format=False)
    broken = first_broken(asked, facts)
    assert broken is not None
    assert broken.rule.name == "output_format.supported"


def test_a_model_without_a_prompt_cache_refuses_marks() -> None:
    facts = replace(documented(OPUS).facts, cache_marks=False)
    broken = first_broken(request(said(marked())), facts)
    assert broken is not None
    assert broken.rule.name == "cache_control.supported"


def test_a_mark_on_an_empty_text_has_a_refusal_of_its_own() -> None:
    mark = text("", cache_control={"type": "ephemeral"})
    refusal = BY_NAME["cache_control.content"].check(request(said(mark)), documented(OPUS).facts)
    assert refusal is not None
    assert "cache_control cannot be set for empty text blocks" in refusal.message


def test_a_request_that_is_too_large_is_a_413() -> None:
    (asked,) = CASES["size.request"].wrong
    broken = first_broken(asked, facts_of(asked))
    assert broken is not None
    assert (broken.refusal.status, broken.refusal.error_type) == (413, "request_too_large")
