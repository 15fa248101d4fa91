"""What the CLI says of itself: its version, and whether it is logged in. Never the credentials."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

from gateway.errors import BackendUnavailable
from gateway_claude_code import command
from gateway_claude_code.config import ClaudeCodeConfig

ANSWER_SECONDS = 15
"""How long the CLI may take for a question about itself; 0.2 s is usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CliStatus:
    """`version` is None if the CLI did not answer. `method` is the CLI's word for its login."""

    path: Path
    version: str | None
    logged_in: bool
    method: str


async def cli_status(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> CliStatus:
    """Ask the CLI. Raises `BackendUnavailable` if there is none."""
    path = command.find_cli(config, environ)
    version = await cli_version(path, config, environ)
    login = _parse_login(await _ask(path, _login_question(config, environ), config, environ))
    return CliStatus(
        path=path,
        version=version,
        logged_in=bool(login.get("loggedIn")),
        method=str(login.get("authMethod", "unknown")),
    )


async def cli_version(
    path: Path, config: ClaudeCodeConfig, environ: Mapping[str, str]
) -> str | None:
    """What the CLI says that it is; None if it says nothing. Raises `BackendUnavailable`."""
    said = (await _ask(path, ["--version"], config, environ)).split()
    return said[0] if said else None


def _login_question(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> list[str]:
    settings = command.auth_settings(config, environ)
    options = ["--settings", json.dumps(settings)] if settings else []
    return [*options, "auth", "status"]


async def _ask(
    path: Path, arguments: list[str], config: ClaudeCodeConfig, environ: Mapping[str, str]
) -> str:
    try:
        with anyio.fail_after(ANSWER_SECONDS):
            done = await anyio.run_process(
                [str(path), *arguments],
                check=False,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=command.environment(environ, config),
                cwd=command.working_directory(config, environ),
            )
    except TimeoutError:
        return ""
    except OSError as error:
        raise BackendUnavailable(f"the Claude Code CLI can't be started: {error}") from error
    return done.stdout.decode(errors="replace")


def _parse_login(output: str) -> dict[str, object]:
    try:
        login = json.loads(output)
    except ValueError:
        return {}
    return login if isinstance(login, dict) else {}
