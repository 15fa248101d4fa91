"""`dragoman login`."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gateway.errors import BackendUnavailable, ConfigurationError
from gateway.machine import command_name
from gateway_claude_code import login_command
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.login import words as login_words
from gateway_claude_code.login.status import CliStatus
from gateway_claude_code.plugin import ClaudeCodePlugin

DRAGOMAN = Path(sys.executable).with_name("dragoman")
PATH = Path("/opt/claude")
NO_CLI = BackendUnavailable("there is no CLI")


def status(**fields: Any) -> CliStatus:
    values = {"path": PATH, "version": "2.1.330", "logged_in": True, "method": "claude.ai"}
    return CliStatus(**{**values, **fields})


NO_LOGIN = status(logged_in=False, method="none")
PLAN = status(plan="max")
KEY = status(method="api_key", source="ANTHROPIC_API_KEY")
CLOUD = status(method="third_party", provider="bedrock")

Run = Callable[..., Result]
Asked = list[tuple[ClaudeCodeConfig, dict[str, str]]]


@pytest.fixture(autouse=True)
def outside_of_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a user's machine with a browser, where `dragoman` is on PATH."""
    monkeypatch.setattr(command_name, "_program", lambda: None)
    monkeypatch.setattr(login_command, "without_browser", lambda *_: False)
    contained(monkeypatch, there=False)


def contained(monkeypatch: pytest.MonkeyPatch, *, there: bool) -> None:
    for module in (login_command, login_words):
        monkeypatch.setattr(module, "in_container", lambda _: there)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command with a CLI that gives this answer, on a terminal."""

    def invoke(
        answer: CliStatus | Exception,
        *words: str,
        yaml: str = "",
        typed: str = "",
        terminal: bool = True,
        name: str = "login",
        asked: Asked | None = None,
    ) -> Result:
        async def cli_status(config: ClaudeCodeConfig, environ: dict[str, str]) -> CliStatus:
            if asked is not None:
                asked.append((config, environ))
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(login_command, "cli_status", cli_status)
        monkeypatch.setattr(login_command, "_is_terminal", lambda: terminal)
        path = tmp_path / "models.yaml"
        path.write_text(yaml)
        group = click.Group("dragoman")
        ClaudeCodePlugin().gateway_register_commands(group)
        return CliRunner().invoke(group, [name, "--config", str(path), *words], input=typed)

    return invoke


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[list[str]]]:
    """What would have taken this process' place."""
    seen: list[list[str]] = []
    before = Path.cwd()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "execve", lambda _, line, __: seen.append(line))
    yield seen
    os.chdir(before)


# -- --status -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("login", "--status"), ("login-status",)], ids=" ".join)
@pytest.mark.parametrize(
    ("found", "code", "says"),
    [
        (PLAN, 0, "Logged in: Claude plan (max).\nCLI: 2.1.330, /opt/claude\n"),
        (KEY, 0, "Logged in: API key from ANTHROPIC_API_KEY.\nCLI: 2.1.330, /opt/claude\n"),
        (
            CLOUD,
            0,
            "Set up for Amazon Bedrock, by CLAUDE_CODE_USE_BEDROCK.\nIts credentials, from `aws sso "
            "login`, `aws configure` or AWS_BEARER_TOKEN_BEDROCK, are only tried with a request.\n"
            "CLI: 2.1.330, /opt/claude\n",
        ),
        (
            NO_LOGIN,
            1,
            "The Claude Code CLI is not logged in: run `dragoman login`.\n"
            "CLI: 2.1.330, /opt/claude\n",
        ),
        (NO_CLI, 2, "dragoman: there is no CLI\n"),
    ],
    ids=["plan", "key", "cloud", "not logged in", "no CLI"],
)
def test_status(
    run: Run, command: tuple[str, ...], found: CliStatus | Exception, code: int, says: str
) -> None:
    name, *options = command
    result = run(found, *options, name=name)
    assert (result.exit_code, result.output) == (code, says)


def test_the_old_name_is_not_shown() -> None:
    group = click.Group("dragoman")
    ClaudeCodePlugin().gateway_register_commands(group)
    shown = CliRunner().invoke(group, ["--help"]).output
    assert "login " in shown
    assert "login-status" not in shown


def test_status_takes_no_arguments(run: Run) -> None:
    result = run(PLAN, "--status", "--", "--console")
    assert (result.exit_code, "takes no arguments" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("yaml", "config"),
    [
        (
            "plugins: {claude_code: {command: /opt/claude}}",
            ClaudeCodeConfig(command=Path("/opt/claude")),
        ),
        ("plugins: {claude_code: false}", ClaudeCodeConfig()),
    ],
    ids=["configured", "off"],
)
def test_it_asks_the_cli_of_the_configuration(
    run: Run, yaml: str, config: ClaudeCodeConfig
) -> None:
    asked: Asked = []
    run(PLAN, "--status", yaml=yaml, asked=asked)
    assert [found for found, _ in asked] == [config]


def test_it_explains_a_wrong_configuration(run: Run) -> None:
    result = run(PLAN, yaml="plugins: {claude_code: {comand: /opt/claude}}")
    assert isinstance(result.exception, ConfigurationError)


# -- logging in ---------------------------------------------------------------------------


def test_it_becomes_the_clis_own_login(run: Run, started: list[list[str]]) -> None:
    result = run(NO_LOGIN)
    assert started == [["/opt/claude", "auth", "login"]]
    assert result.output == (
        "This is Claude Code's own login: /opt/claude\nDragoman neither sees nor stores it.\n\n"
    )


def test_arguments_are_passed_on(run: Run, started: list[list[str]]) -> None:
    run(NO_LOGIN, "--", "--console", "--email", "me@example.com")
    assert started == [["/opt/claude", "auth", "login", "--console", "--email", "me@example.com"]]


@pytest.mark.parametrize(
    ("words", "typed", "times"),
    [((), "\n", 0), ((), "n\n", 0), ((), "y\n", 1), (("--", "--console"), "", 1)],
    ids=["default", "no", "yes", "arguments"],
)
def test_who_is_logged_in_is_asked_first(
    run: Run, started: list[list[str]], words: tuple[str, ...], typed: str, times: int
) -> None:
    result = run(PLAN, *words, typed=typed)
    assert result.exit_code == 0
    assert len(started) == times
    assert ("Already logged in: Claude plan (max)." in result.output) is not words


@pytest.mark.parametrize(
    ("found", "says"),
    [(KEY, "No login is needed"), (CLOUD, "`aws sso login`")],
    ids=["key", "cloud"],
)
def test_a_login_that_would_not_count_is_not_started(
    run: Run, started: list[list[str]], found: CliStatus, says: str
) -> None:
    result = run(found, "--", "--console")
    assert (result.exit_code, started) == (0, [])
    assert says in result.output


@pytest.mark.parametrize("container", [False, True])
def test_without_a_terminal_it_says_where_to_go(
    run: Run, started: list[list[str]], monkeypatch: pytest.MonkeyPatch, container: bool
) -> None:
    contained(monkeypatch, there=container)
    result = run(NO_LOGIN, terminal=False)
    assert (result.exit_code, started) == (2, [])
    [line] = result.output.splitlines()
    assert line.startswith("dragoman: the login needs a terminal: run `dragoman login` in one")
    assert ("CLAUDE_CODE_OAUTH_TOKEN" in result.output) is container


def test_in_a_container_it_names_the_way_without_a_login(
    run: Run, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    contained(monkeypatch, there=True)
    said = run(NO_LOGIN).output
    assert "claude setup-token" in said
    assert "paste the code back here" in said
    assert len(started) == 1


def test_where_the_browser_is_elsewhere_it_says_so(
    run: Run, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_command, "without_browser", lambda *_: True)
    assert "paste the code back here" in run(NO_LOGIN).output


REPORTING = """#!{python} -S
import json, os, sys
if sys.argv[1:] == ["--version"]:
    print("2.1.330 (Claude Code)")
elif sys.argv[-1] == "status":
    print(json.dumps({{"loggedIn": False, "authMethod": "none"}}))
else:
    print(json.dumps({{"argv": sys.argv, "cwd": os.listdir("."), "environ": dict(os.environ)}}))
    sys.exit(7)
"""
"""A CLI that is not logged in, and whose `auth login` tells how it was started."""


def test_the_cli_has_all_of_the_users_environment_in_an_empty_folder(tmp_path: Path) -> None:
    cli = tmp_path / "claude"
    cli.write_text(REPORTING.format(python=sys.executable))
    cli.chmod(0o755)
    yaml = tmp_path / "mine.yaml"
    yaml.write_text(
        f"plugins: {{claude_code: {{command: {cli}, environment: {{CLAUDE_CONFIG_DIR: /mine}}}}}}"
    )
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/settings.json").write_text('{"env": {"ANTHROPIC_API_KEY": "planted"}}')
    terminal, at_the_other_end = pty.openpty()
    done = subprocess.run(
        [DRAGOMAN, "login", "--config", yaml, "--", "--sso"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": os.defpath, "BROWSER": "firefox", "DISPLAY": ":7"},
        stdin=at_the_other_end,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    os.close(terminal)
    os.close(at_the_other_end)
    assert done.returncode == 7  # the CLI's own
    said = json.loads(done.stdout)
    assert said["argv"] == [str(cli), "auth", "login", "--sso"]
    assert said["cwd"] == []
    expected = {"BROWSER": "firefox", "DISPLAY": ":7", "CLAUDE_CONFIG_DIR": "/mine"}
    assert said["environ"].items() >= expected.items()
    assert "ANTHROPIC_API_KEY" not in said["environ"]
    assert str(cli) in done.stderr
