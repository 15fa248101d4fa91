"""The CLI's program, arguments, environment and folder. No I/O but look-ups."""

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
"""The MCP server of the client's tools: the model sees `mcp__t__NAME` (seen with 2.1.330)."""

LEAST_BUDGET: Final = "0.000001"
"""Dollars. Any answer exceeds it, so the CLI makes a single upstream request: otherwise it continues
by itself after an answer that is empty or was cut at the token limit (seen with 2.1.330; doctor:
one_request). Not for turns with tools, which the CLI then aborts when a call and the answer end
together."""


def find_cli(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> Path:
    """The CLI: as configured, as `DRAGOMAN_CLAUDE_COMMAND` says, on PATH, or in the wheel.

    Raises `BackendUnavailable` without one; the message says how to get it.
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
    """Whether the user names the CLI, so that no search is needed."""
    return bool(config.command or environ.get(COMMAND_VARIABLE))


def on_path(environ: Mapping[str, str]) -> Path | None:
    """The user's own `claude`."""
    return program_on(environ.get("PATH"), "claude")


def _named(named: str, path: str | None) -> Path:
    """A CLI by its absolute path, or by a bare name on PATH."""
    by = f"it is named by plugins.claude_code.command or {COMMAND_VARIABLE}"
    program = Path(named).expanduser()
    if "/" in named and not program.is_absolute():
        raise BackendUnavailable(
            f"the Claude Code CLI {named!r} depends on the current folder; give its full path: {by}"
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
    # the wheel claude-agent-sdk 0.2.187 has the CLI 2.1.330 here, as one file without Node
    path = Path(spec.origin).parent / "_bundled" / "claude"
    return path if path.is_file() else None


def arguments(
    model: str,
    settings: Mapping[str, Any] | None = None,
    *,
    one_request: bool = False,
    agent: Agent | None = None,
) -> list[str]:
    """The CLI's arguments: one isolated conversation over pipes, and nothing of a prompt.

    `settings` is the content of a settings file that applies despite the isolation; it must not
    contain secrets, as other users see it in `ps`. With `one_request` the CLI makes one upstream
    request. Only an `agent` has the CLI's own tools.
    """
    return [
        # the options are on code.claude.com/docs/en/cli-reference
        "--print",
        # prompts go by stdin: an argument has at most 128 KiB (Linux, execve(2)), and is in `ps`
        "--input-format", "stream-json",
        "--output-format", "stream-json",
        "--verbose",  # 2.1.330 requires it for stream-json with --print
        # without it only whole messages come, and no deltas (doctor: streaming)
        "--include-partial-messages",
        "--model", model,
        # an empty list turns all of the CLI's own tools off (doctor: built_in_tools)
        "--tools", ",".join(agent.tools) if agent is not None else "",
        # no permission requests for the client's tools, as no user could answer them
        "--allowedTools", f"mcp__{MCP_SERVER}", *(agent.allow if agent is not None else ()),
        "--strict-mcp-config",
        # neither the user's nor a project's settings: hooks, permissions, models
        "--setting-sources", "",
        # not enough by itself: a text that begins with "/" is still a command (`history.protected`)
        "--disable-slash-commands",
        # or the conversation is left in ~/.claude/projects (doctor: not_on_disk)
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
    """The CLI's whole environment. `extra` overrides the user's own variables, as when offline."""
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
        # otherwise an `@path` in a prompt is read from disk and attached, even without tools
        # (seen with 2.1.197 and 2.1.330; doctor: file_mentions)
        cli_variables.DISABLE_ATTACHMENTS: "1",
        # updates, telemetry, error reports, release notes (code.claude.com/docs/en/env-vars)
        cli_variables.DISABLE_NONESSENTIAL_TRAFFIC: "1",
        # an update must not replace the program under running processes
        cli_variables.DISABLE_AUTOUPDATER: "1",
        # a client that sends whole histories must be told when they are too long; the CLI would
        # summarize them (code.claude.com/docs/en/env-vars)
        cli_variables.DISABLE_AUTO_COMPACT: "1",
        # unset, all MCP tools are deferred: the model has to search before it can call one, says
        # code.claude.com/docs/en/env-vars
        cli_variables.TOOL_SEARCH: "false",
        # one more than may be made: the turn is ended at the line that announces it, the only
        # one with the API's `retry-after` (seen with 2.1.330; see `response.failures`)
        cli_variables.MAX_RETRIES: str(config.upstream_retries + 1),
        # the debug log is read for one sentence only (see `failure_log`)
        cli_variables.DEBUG_LOG_LEVEL: "error",
        # undocumented: 2.1.330 cuts a tool's description at 4,096 characters otherwise
        # (doctor: tool_descriptions)
        cli_variables.MAX_MCP_DESCRIPTION_LENGTH: "1000000",
        # an answer that breaks off must be an error; by default a second request without a stream
        # follows, says code.claude.com/docs/en/env-vars
        cli_variables.DISABLE_NONSTREAMING_FALLBACK: "1",
        # undocumented: a refusal is the answer, and 2.1.330 would ask again, also another model
        # (doctor: one_refusal)
        cli_variables.DISABLE_REFUSAL_RETRY: "1",
        cli_variables.DISABLE_REFUSAL_FALLBACK: "1",
    }


def auth_settings(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> dict[str, Any]:
    """The commands in the CLI's own settings file that fetch a login, if the option is set."""
    settings = _cli_settings(config, environ)
    return {key: settings[key] for key in _AUTH_COMMANDS if key in settings}


def settings_variables(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> dict[str, str]:
    """`env` of the CLI's own settings file, if the option is set."""
    variables = _cli_settings(config, environ).get("env")
    if not isinstance(variables, dict):
        return {}
    return {str(name): str(value) for name, value in variables.items()}


# code.claude.com/docs/en/settings-reference: each runs a command whose output is a credential
_AUTH_COMMANDS: Final[Sequence[str]] = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport")


def _cli_settings(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> dict[str, Any]:
    if not config.use_cli_settings_auth:
        return {}
    # `--setting-sources ""` keeps it from the CLI (code.claude.com/docs/en/cli-reference)
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
    """The empty folder that the CLI always runs in, created if missing. Raises `BackendUnavailable`."""
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
    """Dragoman's own cache folder for this user."""
    home, cache = environ.get("HOME"), environ.get("XDG_CACHE_HOME")
    if not (cache and Path(cache).is_absolute()):  # a relative one does not count: XDG, "Basics"
        cache = str(Path(home) / ".cache") if home else None
    return Path(cache or tempfile.gettempdir()) / "dragoman"
