"""The report: what is in it, and what must not be."""

import json
from dataclasses import replace
from typing import Any

import click
import pytest

from gateway.types import Target
from gateway_claude_code.doctor.live.evidence import Accepted, Refused, judge
from gateway_claude_code.doctor.live.probes import plan
from gateway_claude_code.doctor.live.report import LiveReport, provider, public
from gateway_claude_code.doctor.live.run import LiveRun, ModelTried
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.request.lessons import Lesson

KNOWN = KnownModels().about(Target(model="opus", backend="claude-code", name="opus"))
FIRST, FORCED, *_ = plan(KNOWN.facts, system_note=True)
HOLDS = judge(FIRST, KNOWN.facts, Accepted(model="claude-opus-5-5"))
DIFFERS = judge(
    FIRST, KNOWN.facts, Refused(said="no", lesson=Lesson(fact="efforts", value=("low",)))
)
TRIED = ModelTried(
    name="opus", known=KNOWN, evidence=HOLDS, asked=1, answered=1, answered_by="claude-opus-5-5"
)


def report(*models: ModelTried, remembered: bool = True, **run: Any) -> LiveReport:
    return LiveReport(
        dragoman="1.2.3",
        cli="2.1.330",
        python="3.11.7",
        platform="Linux x86_64",
        provider="Anthropic",
        login="claude.ai",
        date="2026-11-27",
        run=LiveRun(models=models, remembered=remembered, **run),
    )


@pytest.mark.parametrize(
    ("made", "code", "summary"),
    [
        (report(TRIED), 0, "All tested facts match Dragoman's table."),
        (
            report(replace(TRIED, evidence=DIFFERS)),
            1,
            "Different from Dragoman's table: claude-opus-5-5.efforts.",
        ),
        (
            report(
                replace(TRIED, evidence=judge(FORCED, KNOWN.facts, Refused(said="?", lesson=None)))
            ),
            1,
            "No differences from Dragoman's table, but not everything could be tested.",
        ),
        (
            report(replace(TRIED, evidence=(), unavailable=True)),
            1,
            "No differences from Dragoman's table, but not everything could be tested.",
        ),
        (report(TRIED, stopped="the quota is used up"), 2, "Stopped early: the quota is used up."),
    ],
    ids=["as in the table", "differs", "unknown", "unavailable", "stopped"],
)
def test_the_last_line_and_the_exit_code(made: LiveReport, code: int, summary: str) -> None:
    assert made.exit_code == code
    assert made.as_text().splitlines()[-1] == summary


def test_the_text_has_versions_models_and_verdicts() -> None:
    lines = click.unstyle(report(replace(TRIED, evidence=DIFFERS)).as_text()).splitlines()
    assert lines[:3] == [
        "dragoman 1.2.3, Claude Code CLI 2.1.330",
        "Python 3.11.7, Linux x86_64",
        "models served by Anthropic, login: claude.ai, 2026-11-27",
    ]
    assert "opus: claude-opus-5-5" in lines
    place = next(number for number, line in enumerate(lines) if "differs" in line)
    assert [line.split() for line in lines[place : place + 3]] == [
        ["differs", "efforts", "effort", '"max":', "refused"],
        ["in", "the", "table", '["low",', '"medium",', '"high",', '"xhigh",', '"max"],',
         "now", '["low"]'],
        ["“no”"],
    ]  # fmt: skip
    assert any(line.startswith("  not tried: ") and "prefill" in line for line in lines)


@pytest.mark.parametrize("remembered", [True, False])
def test_it_says_if_nothing_is_remembered(remembered: bool) -> None:
    made = report(TRIED, remembered=remembered)
    note = "The provider is not Anthropic's API: nothing is remembered."
    assert (note in made.as_text().splitlines()) is not remembered
    assert json.loads(made.as_json())["remembered"] is remembered


def test_a_model_that_calls_itself_something_else_is_named() -> None:
    assert "opus: claude-opus-5-5 (other)" in report(replace(TRIED, answered_by="other")).as_text()


def test_the_json_has_its_documented_shape() -> None:
    values = json.loads(report(TRIED).as_json())
    assert values.keys() == {
        "format", "exit_code", "dragoman", "cli", "python", "platform", "provider", "login",
        "date", "asked", "answered", "refused", "stopped", "remembered",
        "models",
    }  # fmt: skip
    (model,) = values["models"]
    assert model.keys() == {
        "name", "model", "answered_by", "unavailable", "evidence", "not_tried",
    }  # fmt: skip
    assert model["evidence"][0] == {
        "fact": "thinking",
        "tried": 'thinking.type "adaptive"',
        "expected": "accepted",
        "seen": "accepted",
        "verdict": "holds",
        "table": ["adaptive"],
        "value": ["adaptive"],
        "source": "documented: models/opus-5-5/whats-new-opus-5-5",
        "said": "",
    }


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("ask jane.doe@example.com", "ask […]"),
        ("see https://gateway.corp.example/v1?key=1 now", "see […] now"),
        ("gateway (10.0.0.7:8443) failed", "gateway ([…]) failed"),
        ("in /home/jane/.claude/x", "in […]"),
        ("organization 0a1b2c3d-0000-4000-8000-0123456789ab", "organization […]"),
        ("max_tokens: 128001 > 128000", "max_tokens: 128001 > 128000"),
        ("tools.0.custom.input_schema: and/or", "tools.0.custom.input_schema: and/or"),
        ("request req_011CQ", "request req_011CQ"),
        ("two\nlines", "two lines"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_words_that_name_somebody_are_left_out(said: str, shown: str) -> None:
    assert public(said) == shown


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "Anthropic"),
        ({"CLAUDE_CODE_USE_BEDROCK": "1"}, "Bedrock"),
        ({"ANTHROPIC_BASE_URL": "https://api.anthropic.com/"}, "Anthropic"),
        ({"ANTHROPIC_BASE_URL": "http://x.example"}, "a custom address"),
        ({"ANTHROPIC_BASE_URL": "http://[x"}, "a custom address"),
    ],
)
def test_who_serves_the_models_is_said_without_an_address(
    environ: dict[str, str], name: str
) -> None:
    assert provider(environ) == name
