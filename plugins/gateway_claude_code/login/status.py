"""The CLI's own report: its version, and whether it is logged in. Never the credentials."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import anyio

from gateway.errors import BackendUnavailable
from gateway_claude_code import cli_variables
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process import command
from gateway_claude_code.process.leftover_files import remove_leftovers

ANSWER_SECONDS = 15
"""How long the CLI may take for a question about itself; 0.2 s is usual."""

_AUTH_HEADER: Final = re.compile(r"^\s*(?:x-api-key|authorization)\s*:", re.IGNORECASE | re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The answer of `auth status`, in the CLI's own words.

    `method` is its kind: "claude.ai", "api_key", "api_key_helper", "oauth_token", "third_party"
    (then `provider` says which: "bedrock", "vertex", "foundry", …), "none"; "unknown" if the CLI did
    not answer, and "custom_headers" where it says "none" but a header of the user's own logs it in.
    `source` names where an API key is from, `plan` the subscription. All seen with 2.1.330.
    """

    logged_in: bool
    method: str
    provider: str = "firstParty"
    source: str | None = None
    plan: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CliStatus(Login):
    """The CLI with its login. `version` is None if the CLI did not answer.

    With `in_settings` there is a login, but in the CLI's settings file, which is not let in.
    """

    path: Path
    version: str | None
    in_settings: bool = False


async def cli_status(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> CliStatus:
    """Ask the CLI. Raises `BackendUnavailable` if there is none."""
    path = command.find_cli(config, environ)
    version = await cli_version(path, config, environ)
    login = await cli_login(path, config, environ)
    in_settings = False
    if login.method == "none" and not config.use_cli_settings_auth:
        said = await _ask(path, ["auth", "status"], config, environ)
        in_settings = _parse_login(said).logged_in
    return CliStatus(path=path, version=version, in_settings=in_settings, **asdict(login))


async def cli_version(
    path: Path, config: ClaudeCodeConfig, environ: Mapping[str, str]
) -> str | None:
    """The version that the CLI reports; None if it reports none. Raises `BackendUnavailable`."""
    said = (await _ask(path, ["--version"], config, environ)).split()
    return said[0] if said and said[0][0].isdigit() else None


async def cli_login(path: Path, config: ClaudeCodeConfig, environ: Mapping[str, str]) -> Login:
    """The login that the gateway's own processes have. Raises `BackendUnavailable`."""
    login = _parse_login(await _ask(path, _login_question(config, environ), config, environ))
    if login.method == "none" and _has_auth_header(config, environ):
        # 2.1.330 does not count these for a login, and yet sends them instead of one
        return Login(logged_in=True, method="custom_headers")
    return login


def _login_question(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> list[str]:
    """As the gateway's processes are started: with no settings file but what is let in of it.

    2.1.330 otherwise counts what `settings.json` has, of the user and of the current folder.
    """
    settings = command.auth_settings(config, environ)
    options = ["--settings", json.dumps(settings)] if settings else []
    return ["--setting-sources", "", *options, "auth", "status"]


def _has_auth_header(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> bool:
    headers = command.environment(environ, config).get(cli_variables.CUSTOM_HEADERS, "")
    return _AUTH_HEADER.search(headers) is not None


async def _ask(
    path: Path, arguments: list[str], config: ClaudeCodeConfig, environ: Mapping[str, str]
) -> str:
    environment = command.environment(environ, config)
    try:
        with anyio.fail_after(ANSWER_SECONDS):
            # a cancellation while it starts would leave it behind
            with anyio.CancelScope(shield=True):
                process = await anyio.open_process(
                    [str(path), *arguments],
                    stdin=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                    cwd=command.working_directory(config, environ),
                )
            try:
                async with process:
                    assert process.stdout is not None  # noqa: S101 - it is piped by default
                    said = b"".join([chunk async for chunk in process.stdout])
                    await process.wait()
            finally:
                # killed in the middle, or dead of a limit, it leaves half a file of its settings
                remove_leftovers(process.pid, environment)
    except TimeoutError:
        return ""
    except OSError as error:
        raise BackendUnavailable(f"the Claude Code CLI can't be started: {error}") from error
    return said.decode(errors="replace")


def _parse_login(output: str) -> Login:
    try:
        said = json.loads(output)
    except ValueError:
        said = {}
    if not isinstance(said, dict):
        said = {}
    return Login(
        logged_in=said.get("loggedIn") is True,
        method=_text(said.get("authMethod")) or "unknown",
        provider=_text(said.get("apiProvider")) or "firstParty",
        source=_text(said.get("apiKeySource")),
        plan=_text(said.get("subscriptionType")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
