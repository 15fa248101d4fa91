"""Logins in words: which one there is, where it is from, and how to get one. Never the secret."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.machine.command_name import command_line
from gateway_claude_code import cli_variables
from gateway_claude_code.login.status import CliStatus, Login
from gateway_claude_code.process.environment import in_container

SETTINGS_KEY: Final = "plugins.claude_code.use_cli_settings_auth"


@dataclass(frozen=True, slots=True)
class Cloud:
    """A provider of the CLI's: the variable that chooses it, and where its credentials come from."""

    name: str
    variable: str
    credentials: str


_AWS: Final = "`aws sso login`, `aws configure`"
CLOUDS: Final[Mapping[str, Cloud]] = {
    "bedrock": Cloud(
        "Amazon Bedrock", cli_variables.USE_BEDROCK, f"{_AWS} or AWS_BEARER_TOKEN_BEDROCK"
    ),
    "mantle": Cloud(
        "Amazon Bedrock (Mantle)", cli_variables.USE_MANTLE, f"{_AWS} or AWS_BEARER_TOKEN_BEDROCK"
    ),
    "anthropicAws": Cloud(
        "Claude Platform on AWS",
        cli_variables.USE_ANTHROPIC_AWS,
        "`aws sso login` or ANTHROPIC_AWS_API_KEY",
    ),
    "vertex": Cloud(
        "Google Cloud (Vertex AI)",
        cli_variables.USE_VERTEX,
        "`gcloud auth application-default login` or GOOGLE_APPLICATION_CREDENTIALS",
    ),
    "foundry": Cloud(
        "Microsoft Foundry",
        cli_variables.USE_FOUNDRY,
        "`az login` or ANTHROPIC_FOUNDRY_API_KEY",
    ),
}
"""By the CLI's `apiProvider` (2.1.330). Credentials: code.claude.com/docs/en/amazon-bedrock,
google-vertex-ai, microsoft-foundry and claude-platform-on-aws, as of August 2026."""

TOKEN_VARIABLES: Final = (cli_variables.AUTH_TOKEN, cli_variables.OAUTH_TOKEN)
"""In the order in which the CLI takes them (code.claude.com/docs/en/authentication, "Authentication
precedence")."""
LOGIN_KEY: Final = "/login managed key"
"""The `apiKeySource` of a key that `auth login --console` made (2.1.330)."""


def login_help(*, anywhere: bool = False, container: bool | None = None) -> str:
    """How to log in, as a clause: "run `dragoman login`".

    `anywhere` is for a text that may be read on another machine, or in another folder. `container`
    says whether this is one; None has it found out.
    """
    command = f"`{command_line('login', anywhere=anywhere)}`"
    if in_container(os.environ) if container is None else container:
        return (
            f"run {command} in the container, or give it CLAUDE_CODE_OAUTH_TOKEN "
            "(create one with `claude setup-token` on a machine with a browser) or "
            "ANTHROPIC_API_KEY"
        )
    return f"run {command} on the machine where Dragoman runs" if anywhere else f"run {command}"


def not_logged_in(status: CliStatus) -> str:
    """The trouble with a CLI that has no login, and the remedy; one line without a full stop."""
    if status.in_settings:
        return (
            "the Claude Code CLI's login is in its settings.json, which Dragoman does not read: "
            f"set {SETTINGS_KEY}: true, or {login_help()}"
        )
    return f"the Claude Code CLI is not logged in: {login_help()}"


def login_words(login: Login, environ: Mapping[str, str]) -> str:
    """The kind of login and its source, as in "API key from ANTHROPIC_API_KEY".

    `environ` is that of the CLI.
    """
    match login.method:
        case "claude.ai":
            return f"Claude plan ({login.plan})" if login.plan else "Claude plan"
        case "api_key" if login.source == LOGIN_KEY:
            return "Anthropic Console account"
        case "api_key":
            return f"API key from {login.source}" if login.source else "API key"
        case "api_key_helper":
            return "API key from the command apiKeyHelper"
        case "oauth_token":
            variable = _variable_of(login, environ)
            return f"token from {variable}" if variable else "token"
        case "custom_headers":
            return f"header from {cli_variables.CUSTOM_HEADERS}"
        case "third_party":
            cloud = CLOUDS.get(login.provider)
            return f"set up for {cloud.name}, by {cloud.variable}" if cloud else login.provider
    return login.method


def set_first(names: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    """The first of these variables that is set."""
    return next((name for name in names if environ.get(name)), None)


def needs_no_login(login: Login, environ: Mapping[str, str]) -> str | None:
    """Why logging in would change nothing, as the CLI prefers what it has; None if it would."""
    if login.method == "third_party":
        cloud = CLOUDS.get(login.provider)
        if cloud is None:
            return f"No Claude login is needed: the CLI is set up for {login.provider}."
        return (
            f"No Claude login is needed: the CLI is set up for {cloud.name}.\n"
            f"Its credentials come from {cloud.credentials}.\n"
            f"To use a Claude login instead, unset {cloud.variable}."
        )
    if login.method in ("claude.ai", "none", "unknown") or login.source == LOGIN_KEY:
        return None
    why = f"No login is needed: the CLI uses the {login_words(login, environ)}."
    variable = _variable_of(login, environ)
    return f"{why}\nTo log in instead, unset {variable}." if variable else why


def cloud_words(login: Login) -> str | None:
    """The addition to `--status` for a cloud, whose credentials the CLI does not check by itself."""
    cloud = CLOUDS.get(login.provider)
    if login.method != "third_party" or cloud is None:
        return None
    return f"Its credentials, from {cloud.credentials}, are only tried with a request."


def _variable_of(login: Login, environ: Mapping[str, str]) -> str | None:
    match login.method:
        case "api_key" if login.source in environ:
            return login.source
        case "oauth_token":
            return set_first(TOKEN_VARIABLES, environ)
        case "custom_headers":
            return cli_variables.CUSTOM_HEADERS
    return None
