"""`dragoman doctor --live` before anything is asked, and what it prints and remembers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway_claude_code.doctor.live import asking
from gateway_claude_code.doctor.live.run import LiveRun

MakeCli = Callable[..., Path]


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The versions of the CLIs that were asked; no request is made."""
    made: list[str | None] = []

    async def try_facts(
        _: object, __: object, version: str | None, ___: object, *, remember: bool
    ) -> LiveRun:
        made.append(version)
        return LiveRun(
            models=(),
            remembered=remember,
            stopped="the login was refused",
            detail="ask jane@example.com",
        )

    monkeypatch.setattr(asking, "try_facts", try_facts)
    return made


@pytest.fixture
def claude(fake_claude: MakeCli, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = fake_claude()
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(path))
    return path


def run(tmp_path: Path, *options: str, **more: Any) -> Result:
    config = tmp_path / "models.yaml"
    config.write_text("{}", encoding="utf-8")
    return CliRunner().invoke(cli, ["doctor", "--config", str(config), *options], **more)


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "at_a_terminal", lambda: True)


@pytest.mark.usefixtures("claude")
def test_without_a_terminal_it_wants_to_be_told(tmp_path: Path, asked: list[str | None]) -> None:
    result = run(tmp_path, "--live")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "--yes" in result.stderr
    assert asked == []


@pytest.mark.usefixtures("claude", "at_a_terminal")
def test_it_says_what_it_costs_and_asks(tmp_path: Path, asked: list[str | None]) -> None:
    result = run(tmp_path, "--live", input="n\n")
    assert result.exit_code == 2
    words = " ".join(result.stderr.split())
    assert "at most 15 tiny requests to opus, sonnet and haiku" in words
    assert "US cents" in words
    assert "repeats a rejected request up to three times" in words
    assert words.endswith("cancelled")
    assert (result.stdout, asked) == ("", [])


@pytest.mark.usefixtures("claude", "at_a_terminal")
def test_a_yes_is_enough(tmp_path: Path, asked: list[str | None]) -> None:
    run(tmp_path, "--live", input="y\n")
    assert asked == ["9.9.9"]


@pytest.mark.usefixtures("claude")
def test_why_it_stopped_is_told_in_full_to_the_user_alone(tmp_path: Path) -> None:
    result = run(tmp_path, "--live", "--yes", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["stopped"] == "the login was refused"
    assert "jane@example.com" in result.stderr
    assert "jane@example.com" not in result.stdout


@pytest.mark.usefixtures("claude")
@pytest.mark.parametrize(
    ("address", "remembers"),
    [
        (None, True),
        ("", True),
        ("https://api.anthropic.com", True),
        ("http://127.0.0.1:4000", False),
        ("https://api.anthropic.com.example", False),
    ],
)
def test_it_remembers_what_anthropics_own_api_shows_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str | None, remembers: bool
) -> None:
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    if address is not None:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", address)
    result = run(tmp_path, "--live", "--yes", "--json")
    assert json.loads(result.stdout)["remembered"] is remembers


@pytest.mark.usefixtures("claude")
def test_an_address_in_the_yaml_counts_as_well(tmp_path: Path) -> None:
    config = tmp_path / "own.yaml"
    config.write_text(
        "plugins: {claude_code: {environment: {ANTHROPIC_BASE_URL: 'http://127.0.0.1:4000'}}}",
        encoding="utf-8",
    )
    options = ["doctor", "--live", "--yes", "--json", "--config", str(config)]
    report = json.loads(CliRunner().invoke(cli, options).stdout)
    assert (report["remembered"], report["provider"]) == (False, "a custom address")


def test_without_a_cli_nothing_is_asked(
    tmp_path: Path, asked: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", "/nowhere/claude")
    result = run(tmp_path, "--live", "--yes")
    assert (result.exit_code, asked) == (2, [])
    assert "/nowhere/claude" in result.stderr


def test_without_a_login_nothing_is_asked(
    tmp_path: Path, claude: Path, asked: list[str | None]
) -> None:
    source = claude.read_text(encoding="utf-8").replace('"loggedIn": True', '"loggedIn": False')
    claude.write_text(source, encoding="utf-8")
    result = run(tmp_path, "--live", "--yes")
    assert (result.exit_code, asked) == (2, [])
    assert "not logged in" in result.stderr


def test_a_cli_without_a_version_is_not_asked(
    tmp_path: Path, claude: Path, asked: list[str | None]
) -> None:
    claude.write_text("#!/bin/sh\n", encoding="utf-8")
    result = run(tmp_path, "--live", "--yes")
    assert (result.exit_code, asked) == (2, [])
    assert "does not report its version" in result.stderr


def test_a_wrong_configuration_is_said_first(tmp_path: Path, asked: list[str | None]) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text("plugins: {claude_code: {comand: x}}", encoding="utf-8")
    result = CliRunner().invoke(cli, ["doctor", "--live", "--yes", "--config", str(config)])
    assert (result.exit_code, asked) == (2, [])
    assert "command" in result.stderr


def test_yes_alone_is_a_mistake(tmp_path: Path) -> None:
    result = run(tmp_path, "--yes")
    assert result.exit_code == 2
    assert "--yes requires --live" in result.stderr
