"""What users and clients are told of the CLI's models."""

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ConfigurationError
from gateway.testing import build
from gateway.types import ModelDescription, ModelFact, Target
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.facts.documented import (
    FACT_NAMES,
    MODELS,
    DocumentedModel,
    asked_by_cli,
    documented,
)
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.facts.seen import SeenFacts
from gateway_claude_code.knowledge.model_description import describe, known_from_outside
from gateway_claude_code.knowledge.remembered_models import RememberedModels
from gateway_claude_code.process.launch import program_at
from gateway_claude_code.search_policy import SearchPolicy, SearchSwitch

BACKEND = "claude-code"


def of(name: str, known: KnownModels | None = None, **options: Any) -> ModelDescription:
    target = Target(model="m", backend=BACKEND, name=name, options=options)
    return describe(known or KnownModels(), target)


def row(description: ModelDescription, fact: str) -> ModelFact:
    return next(each for each in description.facts if each.name == fact)


def test_a_model_with_its_limits() -> None:
    sonnet = of("claude-sonnet-4-5-20250929")
    assert sonnet.resolved == "claude-sonnet-4-5-20250929"
    assert (sonnet.context_length, sonnet.max_output_tokens) == (200_000, 64_000)
    assert sonnet.inputs == ("text", "image", "document")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_fact_is_told_with_its_page(model: DocumentedModel) -> None:
    facts = of(model.name).facts
    model = documented(asked_by_cli(model.name))  # what the CLI makes of an old name
    assert [fact.name for fact in facts] == list(FACT_NAMES)
    for fact in facts:
        assert fact.origin == "documented"
        assert fact.source == f"platform.claude.com/docs/en/{model.source(fact.name)}"


@pytest.mark.parametrize(
    ("model", "sampling", "effort"),
    [("opus", False, True), ("claude-opus-4-5", True, True), ("claude-haiku-4-5", True, False)],
)
def test_parameters_are_those_with_an_effect(model: str, sampling: bool, effort: bool) -> None:
    parameters = of(model).parameters or ()
    assert ("temperature" in parameters) is sampling
    assert ("effort" in parameters) is effort
    assert {"max_output_tokens", "stop", "tools", "tool_choice", "response_format"} <= {*parameters}


@pytest.mark.parametrize(
    ("options", "section", "searches"),
    [
        ({}, "off", False),
        ({}, SearchPolicy(), True),
        ({"web_search": "off"}, SearchPolicy(), False),
        ({"web_search": {"max_uses": 2}}, "off", True),
        ({"web_search": True, "facts": {"web_search": "none"}}, "off", False),
    ],
)
def test_a_search_is_a_parameter_where_the_yaml_allows_it(
    options: dict[str, Any], section: SearchSwitch, searches: bool
) -> None:
    target = Target(model="m", backend=BACKEND, name="opus", options=options)
    parameters = describe(KnownModels(), target, section).parameters or ()
    assert ("web_search" in parameters) is searches


def test_an_agent_takes_no_response_format() -> None:
    assert "response_format" not in (of("opus", agent={"directory": "/"}).parameters or ())


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("opus", "always"),
        ("sonnet", "optional"),
        ("haiku", "optional"),
        ("claude-sonnet-4-5", "optional"),
    ],
)
def test_thinking(model: str, thinking: str) -> None:
    assert of(model).thinking == thinking


def test_a_model_that_can_only_be_kept_from_thinking_never_thinks() -> None:
    assert of("opus", facts={"thinking": ["disabled"]}).thinking == "never"


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("thinking", "adaptive, between_tools"),
        ("efforts", "low, medium, high, xhigh, max"),
        ("effort_without_thinking", "high"),
        ("forced_tool_choice", "no"),
        ("cache_marks", "yes"),
        ("max_output_tokens", "128000"),
    ],
)
def test_a_fact_as_text(fact: str, value: str) -> None:
    assert row(of("sonnet"), fact).value == value


def test_no_limit_and_no_level_as_text() -> None:
    older = of("claude-sonnet-4-5")
    assert row(older, "effort_without_thinking").value == "no limit"
    assert row(older, "efforts").value == "none"


def test_how_a_fact_is_known() -> None:
    known = KnownModels(
        models=[AskedModel(value="opus", model="claude-opus-5-5", efforts=("low",))]
    )
    known.seen.note("claude-opus-5-5", "cache_marks", False, how="learnt", said="no marks")
    opus = of("opus", known, facts={"prefill": True})
    said = {fact.name: (fact.origin, fact.source) for fact in opus.facts}
    assert said["efforts"] == ("asked", "list_models")
    assert said["cache_marks"] == ("learnt", "no marks")
    assert said["prefill"] == ("set", "models.yaml")
    assert row(opus, "cache_marks").date is not None
    assert row(of("claude-new-9"), "prefill").origin == "assumed"


def test_without_a_server_what_was_remembered_is_known(tmp_path: Path) -> None:
    cli = tmp_path / "claude"
    cli.write_text("#!/bin/sh\n", encoding="utf-8")
    cli.chmod(0o755)
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path)}
    asked = [AskedModel(value="opus", model="claude-opus-6")]
    RememberedModels.of_user(environ).keep(program_at(cli), "claude.ai", asked)
    assert known_from_outside(ClaudeCodeConfig(), environ).full_name("opus") == "claude-opus-6"


def test_without_a_cli_what_was_seen_is_known(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    SeenFacts.of_user(environ).note("claude-opus-5-5", "prefill", True, how="confirmed")
    config = ClaudeCodeConfig(command=tmp_path / "nowhere")
    opus = of("opus", known_from_outside(config, environ))
    assert row(opus, "prefill").origin == "confirmed"


# -- in a gateway -------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return tmp_path


def test_a_gateway_describes_its_models_before_it_serves(home: Path) -> None:
    models = {
        "mine": {"backend": BACKEND, "target": "haiku", "options": {"facts": {"efforts": []}}},
        "echo": {"backend": "echo"},
    }
    gateway = build(home, config={"models": models})
    mine = gateway.describe("mine")
    assert mine is not None
    assert (mine.resolved, mine.efforts) == ("claude-haiku-5-5", ())
    assert gateway.describe("echo") is None


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"max_output_token": 5},
            "unknown key 'max_output_token' in 'models.m.options.facts'; "
            "did you mean 'max_output_tokens'",
        ),
        ({"max_output_tokens": 0}, "in 'models.m.options.facts.max_output_tokens'"),
        ({"efforts": ["little"]}, "in 'models.m.options.facts.efforts.0'"),
        ({"sampling": "all"}, "in 'models.m.options.facts.sampling'"),
        ({"thinking": []}, "in 'models.m.options.facts.thinking'"),
        ("all", "in 'models.m.options.facts'"),
    ],
    ids=str,
)
def test_facts_that_can_t_be_stop_the_start(home: Path, facts: object, message: str) -> None:
    models = {"m": {"backend": BACKEND, "options": {"facts": facts}}}
    with pytest.raises(ConfigurationError) as refused:
        build(home, config={"models": models})
    assert "models.yaml, line " in str(refused.value)
    assert message in str(refused.value)
