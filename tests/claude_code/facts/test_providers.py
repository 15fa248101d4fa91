"""What a provider has at most, by the variable that chooses it."""

import pytest

from gateway.types import Target
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.facts.model_facts import least
from gateway_claude_code.facts.providers import ProviderFacts


@pytest.mark.parametrize(
    ("environ", "newest", "older"),
    [
        ({}, "filtered", "basic"),
        ({"CLAUDE_CODE_USE_VERTEX": "1"}, "basic", "basic"),
        ({"CLAUDE_CODE_USE_BEDROCK": "true"}, "none", "none"),
        ({"CLAUDE_CODE_USE_BEDROCK": "0"}, "filtered", "basic"),
        ({"CLAUDE_CODE_USE_FOUNDRY": "1"}, "filtered", "basic"),
    ],
)
def test_the_search_of_a_provider(environ: dict[str, str], newest: str, older: str) -> None:
    known = KnownModels(provider=ProviderFacts.of(environ))
    names = ("claude-opus-5-5", "claude-haiku-4-5")
    found = [
        known.about(Target(model=name, backend="b", name=name)).facts.web_search for name in names
    ]
    assert found == [newest, older]


def test_an_entry_goes_over_the_provider() -> None:
    known = KnownModels(provider=ProviderFacts.of({"CLAUDE_CODE_USE_BEDROCK": "1"}))
    options = {"facts": {"web_search": "basic"}}
    target = Target(model="m", backend="b", name="opus", options=options)
    assert known.about(target).facts.web_search == "basic"


def test_the_least_of_two_kinds() -> None:
    assert least("filtered", "basic") == "basic"
    assert least("none", "filtered") == "none"
