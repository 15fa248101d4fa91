"""Which program is run, with what, in which environment and where."""

import importlib.util
import json
import re
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import BackendUnavailable
from gateway.testing import build
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process import command

NOTHING = ClaudeCodeConfig()


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def no_sdk(name: str) -> None:
    return None


# -- find_cli -----------------------------------------------------------------------------


def test_the_configured_command_wins(tmp_path: Path) -> None:
    configured, other = program(tmp_path / "a" / "one"), program(tmp_path / "b" / "claude")
    environ = {"DRAGOMAN_CLAUDE_COMMAND": str(other), "PATH": str(other.parent)}
    assert command.find_cli(ClaudeCodeConfig(command=configured), environ) == configured


def test_the_variable_wins_over_path(tmp_path: Path) -> None:
    named, other = program(tmp_path / "a" / "one"), program(tmp_path / "b" / "claude")
    environ = {"DRAGOMAN_CLAUDE_COMMAND": str(named), "PATH": str(other.parent)}
    assert command.find_cli(NOTHING, environ) == named


def test_a_named_command_may_be_a_bare_name_on_path(tmp_path: Path) -> None:
    found = program(tmp_path / "bin" / "my-claude")
    environ = {"DRAGOMAN_CLAUDE_COMMAND": "my-claude", "PATH": str(found.parent)}
    assert command.find_cli(NOTHING, environ) == found


def test_claude_is_found_on_path(tmp_path: Path) -> None:
    found = program(tmp_path / "claude")
    assert command.find_cli(NOTHING, {"PATH": str(tmp_path)}) == found


def test_a_named_command_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    program(tmp_path / "claude")
    environ = {"DRAGOMAN_CLAUDE_COMMAND": "/no/such/cli", "PATH": str(tmp_path)}
    with pytest.raises(BackendUnavailable, match="/no/such/cli"):
        command.find_cli(NOTHING, environ)


@pytest.mark.parametrize("named", ["./claude", "bin/claude", "../claude"])
def test_a_command_that_depends_on_the_current_folder_is_refused(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "here" / "bin" / "claude")
    program(tmp_path / "here" / "claude")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(BackendUnavailable, match="depends on the current folder"):
        command.find_cli(NOTHING, {"DRAGOMAN_CLAUDE_COMMAND": named, "PATH": "/nowhere"})


@pytest.mark.parametrize("path", ["", ".", ":/nowhere", "bin"])
@pytest.mark.parametrize("environ", [{}, {"DRAGOMAN_CLAUDE_COMMAND": "claude"}])
def test_a_cli_of_the_current_folder_is_not_found(
    path: str, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin" / "claude")
    program(tmp_path / "claude")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", no_sdk)
    with pytest.raises(BackendUnavailable):
        command.find_cli(NOTHING, {**environ, "PATH": path})


def sdk_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    spec = ModuleSpec("claude_agent_sdk", None, origin=str(folder / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


def test_the_bundled_cli_is_the_last_resort(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundled = program(tmp_path / "_bundled" / "claude")
    sdk_in(monkeypatch, tmp_path)
    assert command.find_cli(NOTHING, {"PATH": "/nowhere"}) == bundled


def test_a_wheel_without_a_cli_is_no_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sdk_in(monkeypatch, tmp_path)
    with pytest.raises(BackendUnavailable, match="no Claude Code CLI was found"):
        command.find_cli(NOTHING, {"PATH": "/nowhere"})


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ("checkout", r"restart `make run`, which fetches one"),
        ("venv", r"run `.*claude-agent-sdk.*`"),
    ],
)
def test_without_any_cli_the_error_says_what_to_do(
    environment: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", no_sdk)
    monkeypatch.setattr(command, "environment_of", lambda _: environment)
    with pytest.raises(BackendUnavailable) as missing:
        command.find_cli(NOTHING, {"PATH": "/nowhere"})
    setup = r"https://code\.claude\.com/docs/en/setup"
    beginning = rf"no Claude Code CLI was found: install it \({setup}\), or "
    assert re.fullmatch(beginning + says, missing.value.message)


# -- arguments ----------------------------------------------------------------------------


def value_of(option: str, arguments: list[str]) -> str:
    return arguments[arguments.index(option) + 1]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--input-format", "stream-json"),
        ("--output-format", "stream-json"),
        ("--model", "claude-test"),
        ("--tools", ""),
        ("--allowedTools", "mcp__t"),
        ("--setting-sources", ""),
    ],
)
def test_arguments_with_a_value(option: str, value: str) -> None:
    assert value_of(option, command.arguments("claude-test")) == value


@pytest.mark.parametrize(
    "option",
    [
        "--print",
        "--verbose",
        "--include-partial-messages",
        "--strict-mcp-config",
        "--disable-slash-commands",
        "--no-session-persistence",
    ],
)
def test_arguments_that_isolate_and_stream(option: str) -> None:
    assert option in command.arguments("claude-test")


def test_one_request_is_a_budget_that_any_answer_uses_up() -> None:
    arguments = command.arguments("claude-test", one_request=True)
    assert value_of("--max-budget-usd", arguments) == "0.000001"
    assert "--max-budget-usd" not in command.arguments("claude-test")


def test_permissions_are_never_skipped() -> None:
    assert not [part for part in command.arguments("m") if "dangerously" in part]


def test_settings_are_an_argument_in_json() -> None:
    arguments = command.arguments("m", {"apiKeyHelper": "/key"})
    assert json.loads(value_of("--settings", arguments)) == {"apiKeyHelper": "/key"}


@pytest.mark.parametrize("settings", [None, {}])
def test_without_settings_there_is_no_such_argument(settings: dict[str, Any] | None) -> None:
    assert "--settings" not in command.arguments("m", settings)


# -- environment --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "PATH",
        "LANG",
        "LC_ALL",
        "TMPDIR",
        "XDG_CONFIG_HOME",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_VERTEX",
        "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
        "AWS_PROFILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "https_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
    ],
)
def test_the_login_and_the_network_reach_the_cli(name: str) -> None:
    assert command.environment({name: "x"}, NOTHING)[name] == "x"


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_CODE_EXTRA_BODY",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
        "CLAUDE_CODE_SIMPLE",
        "DRAGOMAN_API_KEY",
        "DRAGOMAN_CLAUDE_COMMAND",
        "MAX_THINKING_TOKENS",
        "NODE_OPTIONS",
        "PYTHONPATH",
        "DEBUG",
        "MY_ANTHROPIC_API_KEY",
    ],
)
def test_all_else_stays_out(name: str) -> None:
    assert name not in command.environment({name: "x"}, NOTHING)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLAUDE_CODE_DISABLE_ATTACHMENTS", "1"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK", "1"),
        ("CLAUDE_CODE_DISABLE_REFUSAL_RETRY", "1"),
        ("DISABLE_AUTOUPDATER", "1"),
        ("DISABLE_AUTO_COMPACT", "1"),
        ("ENABLE_TOOL_SEARCH", "false"),
        ("CLAUDE_CODE_MAX_RETRIES", "8"),
    ],
)
def test_what_dragoman_relies_on_wins_over_everything(name: str, value: str) -> None:
    config = ClaudeCodeConfig(environment={name: "mine"}, upstream_retries=7)
    assert command.environment({name: "theirs"}, config, {name: "extra"})[name] == value


def test_configured_variables_win_over_inherited_ones() -> None:
    config = ClaudeCodeConfig(environment={"HTTPS_PROXY": "http://b"})
    assert command.environment({"HTTPS_PROXY": "http://a"}, config)["HTTPS_PROXY"] == "http://b"


def test_configured_variables_need_not_be_on_the_list() -> None:
    config = ClaudeCodeConfig(environment={"OPENAI_API_KEY": "wanted"})
    assert command.environment({}, config)["OPENAI_API_KEY"] == "wanted"


def test_extra_variables_win_over_configured_ones() -> None:
    config = ClaudeCodeConfig(environment={"ANTHROPIC_BASE_URL": "http://b"})
    made = command.environment({}, config, {"ANTHROPIC_BASE_URL": "http://offline"})
    assert made["ANTHROPIC_BASE_URL"] == "http://offline"


# -- auth_settings ------------------------------------------------------------------------

LET_IN = ClaudeCodeConfig(use_cli_settings_auth=True)


def settings_file(folder: Path, content: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(content)


def test_settings_are_not_read_unless_wanted(tmp_path: Path) -> None:
    settings_file(tmp_path / ".claude", '{"apiKeyHelper": "/key"}')
    assert command.auth_settings(NOTHING, {"HOME": str(tmp_path)}) == {}


def test_only_the_authentication_is_let_in(tmp_path: Path) -> None:
    content = {"apiKeyHelper": "/key", "env": {"A": "b"}, "hooks": {"Stop": []}, "model": "opus"}
    settings_file(tmp_path / ".claude", json.dumps(content))
    environ = {"HOME": str(tmp_path)}
    assert command.auth_settings(LET_IN, environ) == {"apiKeyHelper": "/key"}
    assert command.settings_variables(LET_IN, environ) == {"A": "b"}
    assert command.environment(environ, LET_IN)["A"] == "b"
    assert "A" not in command.environment(environ, NOTHING)


def test_the_configuration_directory_wins_over_home(tmp_path: Path) -> None:
    settings_file(tmp_path / ".claude", '{"apiKeyHelper": "/home"}')
    settings_file(tmp_path / "other", '{"apiKeyHelper": "/other"}')
    environ = {"HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": str(tmp_path / "other")}
    assert command.auth_settings(LET_IN, environ) == {"apiKeyHelper": "/other"}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"model": "opus"}'])
def test_a_settings_file_without_authentication_gives_nothing(tmp_path: Path, content: str) -> None:
    settings_file(tmp_path / ".claude", content)
    assert command.auth_settings(LET_IN, {"HOME": str(tmp_path)}) == {}
    assert command.settings_variables(LET_IN, {"HOME": str(tmp_path)}) == {}


def test_a_missing_settings_file_gives_nothing(tmp_path: Path) -> None:
    assert command.auth_settings(LET_IN, {"HOME": str(tmp_path)}) == {}


# -- working_directory --------------------------------------------------------------------


def test_a_configured_directory_is_used(tmp_path: Path) -> None:
    config = ClaudeCodeConfig(working_directory=tmp_path / "mine")
    assert command.working_directory(config, {}) == tmp_path / "mine"


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("do this")
    config = ClaudeCodeConfig(working_directory=tmp_path)
    with pytest.raises(BackendUnavailable, match=r"must be empty.*'CLAUDE\.md'"):
        command.working_directory(config, {})


def test_a_directory_that_cant_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = ClaudeCodeConfig(working_directory=tmp_path / "file" / "below")
    with pytest.raises(BackendUnavailable, match="can't be used"):
        command.working_directory(config, {})


@pytest.mark.parametrize("backend", ["claude_code", "claude-cod", "Claude-Code", "cluade-code"])
def test_a_backend_that_looks_like_this_one_misspelt_is_named_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, backend: str
) -> None:
    build(tmp_path, config={"models": {"m": {"backend": backend}, "e": {"backend": "echo"}}})
    assert caplog.messages == [
        f"the model 'm' has the backend {backend!r}: did you mean 'claude-code'?"
    ]
