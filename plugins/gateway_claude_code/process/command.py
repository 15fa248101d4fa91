"""Which program is run, with which arguments, in which environment and folder. No I/O but look-ups."""

import fnmatch
import importlib.util
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gateway.errors import BackendUnavailable
from gateway.machine.installation import command_for_extra, environment_of
from gateway.machine.search_path import program_on
from gateway_claude_code import cli_variables
from gateway_claude_code.agent import Agent
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.failure_log import LOG_ARGUMENTS
from gateway_claude_code.process.working_directory import check_empty, neutral_directory, unusable

SETUP_PAGE: Final = "https://code.claude.com/docs/en/setup"
COMMAND_VARIABLE: Final = "DRAGOMAN_CLAUDE_COMMAND"
MCP_SERVER: Final = "t"
"""The name under which the client's tools stand: the model sees `mcp__t__NAME`."""

LEAST_BUDGET: Final = "0.000001"
"""Dollars. Any answer uses it up, and so the CLI makes one upstream request and no more: it would
otherwise go on by itself after an answer that was cut at the token limit, or was empty. Not for
turns with tools, which the CLI then breaks off when a call's end and the answer's come together."""


def find_cli(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> Path:
    """The CLI: as configured, as `DRAGOMAN_CLAUDE_COMMAND` says, on PATH, or in the wheel.

    Raises `BackendUnavailable`, with what to do, if there is none.
    """
    named = config.command or environ.get(COMMAND_VARIABLE)
    if named:
        return _named(str(named), environ.get("PATH"))
    if (found_on_path := on_path(environ)) is not None:
        return found_on_path
    if (bundled := _bundled_cli()) is not None:
        return bundled
    another = (
        "restart `make run`, which fetches one"
        if environment_of(Path(sys.prefix)) == "checkout"
        else f"run `{command_for_extra('cli')}`"
    )
    raise BackendUnavailable(
        f"no Claude Code CLI was found: install it ({SETUP_PAGE}), or {another}"
    )


def is_named(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> bool:
    """Whether the user says which CLI it is, and none is looked for."""
    return bool(config.command or environ.get(COMMAND_VARIABLE))


def on_path(environ: Mapping[str, str]) -> Path | None:
    """The user's own `claude`."""
    return program_on(environ.get("PATH"), "claude")


def _named(named: str, path: str | None) -> Path:
    """A CLI that is named: by its whole path, or by a bare name that is on PATH."""
    by = f"it is named by plugins.claude_code.command or {COMMAND_VARIABLE}"
    program = Path(named).expanduser()
    if "/" in named and not program.is_absolute():
        raise BackendUnavailable(
            f"the Claude Code CLI {named!r} depends on the current folder; give its whole path: {by}"
        )
    if (found := program_on(path, str(program))) is None:
        raise BackendUnavailable(
            f"the Claude Code CLI {named!r} does not exist or is not executable; {by}"
        )
    return found


def _bundled_cli() -> Path | None:
    spec = importlib.util.find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "_bundled" / "claude"
    return path if path.is_file() else None


def arguments(
    model: str,
    settings: Mapping[str, Any] | None = None,
    *,
    one_request: bool = False,
    agent: Agent | None = None,
) -> list[str]:
    """The CLI's arguments: one isolated conversation over pipes. Nothing of a prompt is in them.

    `settings` is a settings file's content that is to hold despite the isolation; it must hold no
    secret, as other users see it in `ps`. With `one_request` the CLI asks its upstream only once. Only an
    `agent` has tools of the CLI's own.
    """
    return [
        "--print",
        "--input-format", "stream-json",
        "--output-format", "stream-json",
        "--verbose",
        "--include-partial-messages",
        "--model", model,
        "--tools", ",".join(agent.tools) if agent is not None else "",
        "--allowedTools", f"mcp__{MCP_SERVER}", *(agent.allow if agent is not None else ()),
        "--strict-mcp-config",
        "--setting-sources", "",
        "--disable-slash-commands",
        "--no-session-persistence",
        *LOG_ARGUMENTS,
        *(["--permission-mode", agent.permission_mode] if agent and agent.permission_mode else []),
        *(["--max-budget-usd", LEAST_BUDGET] if one_request else []),
        *(["--settings", json.dumps(settings)] if settings else []),
    ]  # fmt: skip


def environment(
    environ: Mapping[str, str],
    config: ClaudeCodeConfig,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The CLI's whole environment. `extra` is what wins over the user's own, as when offline."""
    passed = {
        name: value
        for name, value in environ.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in cli_variables.PASSED_ON)
    }
    from_settings = settings_variables(config, environ)
    return {**passed, **from_settings, **config.environment, **(extra or {}), **_fixed(config)}


def _fixed(config: ClaudeCodeConfig) -> dict[str, str]:
    """Variables that win over everything; `cli_variables` has the reason for each."""
    return {
        cli_variables.DISABLE_ATTACHMENTS: "1",
        cli_variables.DISABLE_NONESSENTIAL_TRAFFIC: "1",
        cli_variables.DISABLE_AUTOUPDATER: "1",
        cli_variables.DISABLE_AUTO_COMPACT: "1",
        cli_variables.TOOL_SEARCH: "false",
        # one more than it may make: the turn is ended at the line that announces it, which has
        # the API's `retry-after` (see `failures`)
        cli_variables.MAX_RETRIES: str(config.upstream_retries + 1),
        cli_variables.DEBUG_LOG_LEVEL: "error",
        cli_variables.MAX_MCP_DESCRIPTION_LENGTH: "1000000",
        cli_variables.DISABLE_NONSTREAMING_FALLBACK: "1",
        cli_variables.DISABLE_REFUSAL_RETRY: "1",
        cli_variables.DISABLE_REFUSAL_FALLBACK: "1",
    }


def auth_settings(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> dict[str, Any]:
    """The commands of the CLI's own settings file that fetch a login, if the option is set."""
    settings = _cli_settings(config, environ)
    return {key: settings[key] for key in _AUTH_COMMANDS if key in settings}


def settings_variables(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> dict[str, str]:
    """`env` of the CLI's own settings file, if the option is set."""
    variables = _cli_settings(config, environ).get("env")
    if not isinstance(variables, dict):
        return {}
    return {str(name): str(value) for name, value in variables.items()}


_AUTH_COMMANDS: Final[Sequence[str]] = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport")


def _cli_settings(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> dict[str, Any]:
    if not config.use_cli_settings_auth:
        return {}
    folder = environ.get(cli_variables.CONFIG_DIR) or str(
        Path(environ.get("HOME", "~")) / ".claude"
    )
    try:
        text = (Path(folder).expanduser() / "settings.json").read_text(encoding="utf-8")
        settings = json.loads(text)
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def working_directory(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> Path:
    """An empty folder that stays the same, made if need be. Raises `BackendUnavailable`."""
    path = config.working_directory
    try:
        if path is not None:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        else:
            path = neutral_directory(own_directory(environ) / "empty")
    except OSError as error:
        raise unusable(error) from None
    return check_empty(path)


def own_directory(environ: Mapping[str, str]) -> Path:
    """Where Dragoman keeps what it needs of its own, for this user."""
    home, cache = environ.get("HOME"), environ.get("XDG_CACHE_HOME")
    if not (cache and Path(cache).is_absolute()):  # a relative one does not count: XDG, "Basics"
        cache = str(Path(home) / ".cache") if home else None
    return Path(cache or tempfile.gettempdir()) / "dragoman"
