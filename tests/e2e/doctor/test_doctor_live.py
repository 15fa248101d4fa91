"""`dragoman doctor --live` with the real CLI, and the strict stand-in in the place of the API."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.doctor.live.probes import MOST_REQUESTS
from gateway_claude_code.doctor.live.run import try_facts
from gateway_claude_code.facts.documented import documented
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.login.status import cli_status
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.upstream import (
    Failure,
    Script,
    Upstream,
    offline_script,
    running_upstream,
)
from tests.cells import on_demand

pytestmark = pytest.mark.e2e

OPUS, SONNET, HAIKU = (f"claude-{name}-5-5" for name in ("opus", "sonnet", "haiku"))

CHANGED: Mapping[str, tuple[str, Any]] = {
    OPUS: ("output_format", False),
    SONNET: ("thinking", frozenset({"adaptive"})),
    HAIKU: ("effort_without_thinking", None),
}


def changed(model: str) -> ModelFacts:
    facts = documented(model).facts
    fact, value = CHANGED[model]
    return replace(facts, **{fact: value})


def remembered(home: Path) -> dict[str, Any]:
    file = home / ".local" / "state" / "dragoman" / "model-facts.json"
    text = file.read_text(encoding="utf-8") if file.exists() else '{"models": {}}'
    models: dict[str, Any] = json.loads(text)["models"]
    return models


def environment(upstream: Upstream, home: Path, command: str) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],  # where the CLI is a script, its interpreter is there
        "ANTHROPIC_API_KEY": "made-up",
        "ANTHROPIC_BASE_URL": upstream.url,
        "DRAGOMAN_CLAUDE_COMMAND": command,
    }


class Done:
    """A run of the command against this upstream: its report, and what it left behind."""

    def __init__(self, upstream: Upstream, home: Path, command: str) -> None:
        home.mkdir()
        self.upstream = upstream
        self.process = subprocess.run(
            [Path(sys.executable).parent / "dragoman", "doctor", "--live", "--yes", "--json"],
            env=environment(upstream, home, command),
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.report = json.loads(self.process.stdout)
        self.evidence = {
            (model["model"], one["fact"], one["tried"]): one
            for model in self.report["models"]
            for one in model["evidence"]
        }
        self.remembered = remembered(home)

    def differing(self) -> set[tuple[str, str]]:
        return {
            (model, fact)
            for (model, fact, _), one in self.evidence.items()
            if one["verdict"] == "differs"
        }

    def answered(self) -> int:
        refused = [refusal.request for refusal in self.upstream.refusals]
        return sum(request not in refused for request in self.upstream.requests)


def run(script: Script, home: Path, command: str, **upstream: Any) -> Done:
    with running_upstream(script, **upstream) as started:
        return Done(started, home, command)


@pytest.mark.on_demand
def test_everything_is_as_the_table_says(cli_command: str, tmp_path: Path) -> None:
    done = run(offline_script, tmp_path / "home", cli_command)
    problems = [one for one in done.evidence.values() if one["verdict"] != "holds"]
    assert (done.process.returncode, problems) == (0, [])
    assert done.report["asked"] == done.report["answered"] + done.report["refused"]
    assert done.report["asked"] <= MOST_REQUESTS
    assert done.report["answered"] == done.answered() == 4
    assert (done.report["remembered"], done.remembered) == (False, {})
    assert str(tmp_path) not in done.process.stdout
    assert "127.0.0.1" not in done.process.stdout


def test_it_names_exactly_what_was_changed(cli_command: str, tmp_path: Path) -> None:
    done = run(offline_script, tmp_path / "home", cli_command, facts=changed)
    assert done.process.returncode == 1
    assert done.differing() == {(model, fact) for model, (fact, _) in CHANGED.items()}
    assert {one["verdict"] for one in done.evidence.values()} == {"holds", "differs"}
    assert done.report["asked"] <= MOST_REQUESTS
    assert (done.report["remembered"], done.remembered) == (False, {})


@pytest.mark.on_demand
async def test_what_it_shows_is_remembered_as_confirmed(cli_command: str, tmp_path: Path) -> None:
    with running_upstream(offline_script, facts=changed) as upstream:
        environ = environment(upstream, tmp_path, cli_command)
        version = (await cli_status(ClaudeCodeConfig(), environ)).version
        cli_environment = CliEnvironment(environ=environ, overrides={})
        run = await try_facts(ClaudeCodeConfig(), cli_environment, version, remember=True)
    assert (run.stopped, run.remembered) == (None, True)
    found = remembered(tmp_path)
    now = {model: found[model][fact]["value"] for model, (fact, _) in CHANGED.items()}
    assert now == {OPUS: False, SONNET: ["adaptive"], HAIKU: None}
    today = datetime.now(UTC).date().isoformat()
    for model in (OPUS, SONNET, HAIKU):
        assert found[model]["sampling"].items() >= {
            ("value", "defaults"), ("how", "confirmed"), ("date", today),
        }  # fmt: skip


@pytest.mark.parametrize(
    ("failure", "word"),
    [
        on_demand(Failure(529, "overloaded_error", "Overloaded"), "the model's API is overloaded"),
        on_demand(
            Failure(401, "authentication_error", "invalid x-api-key"), "the login was refused"
        ),
        (
            Failure(400, "invalid_request_error", "You're out of extra usage."),
            "the quota is used up",
        ),
    ],
    ids=["overloaded", "login", "extra usage"],
)
def test_what_says_nothing_about_the_model_ends_it(
    failure: Failure, word: str, cli_command: str, tmp_path: Path
) -> None:
    done = run(lambda _: failure, tmp_path / "home", cli_command)
    assert (done.process.returncode, done.report["stopped"]) == (2, word)
    assert (done.report["asked"], done.evidence, done.remembered) == (1, {}, {})
