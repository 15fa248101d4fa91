"""Each rule of the table of secrets: what it finds, and what looks similar and stays."""

import re

import pytest

from gateway.secrets.patterns import REDACTED, redact
from gateway.secrets.rules import RULES, Rule, compiled
from tests.gateway.secrets.secret_examples import EXAMPLES


def named(name: str) -> Rule:
    return next(rule for rule in RULES if rule.name == name)


def test_each_rule_has_a_row_and_a_name_of_its_own() -> None:
    assert [rule.name for rule in RULES] == list(EXAMPLES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_names_its_source(rule: Rule) -> None:
    known = r"gitleaks: |trufflehog: |detect-secrets: |RFC \d|Azure: |gateway_access/"
    assert re.match(known, rule.source)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_secret_is_replaced_and_nothing_around_it(name: str) -> None:
    before, secret, after, _ = EXAMPLES[name]
    assert redact(f"{before}{secret}{after}") == f"{before}{REDACTED}{after}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_this_rule_that_finds_it(name: str) -> None:
    before, secret, after, _ = EXAMPLES[name]
    rule = named(name)
    text = f"{before}{secret}{after}"
    found = compiled(rule.pattern).search(text)
    assert found is not None
    assert found["secret" if "secret" in found.re.groupindex else 0] == secret
    assert any(mark in text.lower() for mark in rule.marks)


@pytest.mark.parametrize("name", EXAMPLES)
def test_similar_text_stays(name: str) -> None:
    similar = EXAMPLES[name][3]
    assert redact(similar) == similar


@pytest.mark.parametrize("before", ["\\n", "\\u003d", "%3D", "/", "=", "(", "é", "_", "-"])
@pytest.mark.parametrize("name", ["github", "sk-ant-", "sendgrid", "aws"])
def test_a_secret_may_follow_an_escape(name: str, before: str) -> None:
    secret = EXAMPLES[name][1]
    assert redact(f"{before}{secret} ") == f"{before}{REDACTED} "
