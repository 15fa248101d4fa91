"""Checks around the CLI: the configuration, its plugins, the folder, the login, the port."""

import os
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
from pydantic import ValidationError

from gateway.client.health import NotUp, ask_health, url_for, version_in
from gateway.client.running_gateways import running_gateways, same_place
from gateway.config import chosen_file as found
from gateway.config.settings import ServerConfig
from gateway.errors import BackendUnavailable, ConfigurationError
from gateway.server.listen import listen
from gateway.startup.build import build_gateway
from gateway.yaml_file.wording import one_line
from gateway_claude_code.compatibility.findings import Finding, Verdict
from gateway_claude_code.config import SECTION, ClaudeCodeConfig
from gateway_claude_code.login.status import CliStatus
from gateway_claude_code.login.words import login_help, not_logged_in
from gateway_claude_code.process import command

GROUP: Final = "setup"
PORT_SECONDS: Final = 2


def _finding(name: str, title: str, verdict: Verdict, seen: str, advice: str = "") -> Finding:
    return Finding(
        name=name, group=GROUP, title=title, verdict=verdict, seen=one_line(seen), advice=advice
    )


def configuration(config_file: Path | None) -> tuple[Finding, ClaudeCodeConfig, ServerConfig]:
    """Whether the gateway would start with this YAML and its plugins, and its message.

    If not, the other checks use the default configuration.
    """
    title = "the configuration and the plugins"
    try:
        gateway = build_gateway(config_file)
    except ConfigurationError as error:
        advice = "Fix this; until then the gateway does not start."
        return (
            _finding("configuration", title, "differs", str(error), advice),
            _readable_section(config_file),
            ServerConfig(),
        )
    values = gateway.config.values
    plugins = ", ".join(sorted(gateway.plugins.names))
    seen = f"{gateway.config.path}; plugins: {plugins}; {len(gateway.models.listed)} models"
    return (
        _finding("configuration", title, "holds", seen),
        _readable_section(config_file),
        values.server,
    )


def section(config_file: Path | None) -> ClaudeCodeConfig:
    """The plugin's section of the YAML. Raises `ConfigurationError`."""
    loaded = found.configuration(config_file)
    values = loaded.values.plugins.get(SECTION)
    try:
        return ClaudeCodeConfig.model_validate(values if isinstance(values, dict) else {})
    except ValidationError as error:
        raise loaded.explain(error, ("plugins", SECTION), ClaudeCodeConfig) from None


def _readable_section(config_file: Path | None) -> ClaudeCodeConfig:
    """The plugin's section, as far as it can be read."""
    try:
        return section(config_file)
    except ConfigurationError:
        return ClaudeCodeConfig()


def working_directory(config: ClaudeCodeConfig) -> Finding:
    """Whether the CLI's folder can be used."""
    title = "the CLI's working directory"
    try:
        path = command.working_directory(config, os.environ)
    except BackendUnavailable as error:
        advice = "Empty it, or name another with plugins.claude_code.working_directory."
        return _finding("working_directory", title, "differs", error.message, advice)
    return _finding("working_directory", title, "holds", f"{path}, empty")


def missing(error: BackendUnavailable) -> Finding:
    """The finding without a CLI; the error says what to do."""
    return _finding("cli", "the CLI", "differs", error.message)


def answers(status: CliStatus) -> Finding:
    """Whether the CLI prints its version."""
    if status.version is None:
        advice = "Run it with --version by hand: is it the Claude Code CLI, and does it start?"
        return _finding("cli", "the CLI", "differs", "it does not report its version", advice)
    return _finding("cli", "the CLI", "holds", f"{status.version}, {status.path}")


def login(status: CliStatus) -> Finding:
    """Whether the CLI is logged in, in its own words: `claude auth status`."""
    if status.logged_in:
        return _finding("login", "the CLI's login", "holds", f"logged in ({status.method})")
    what_to_do = not_logged_in(status) if status.in_settings else login_help()
    return _finding("login", "the CLI's login", "differs", f"none: {what_to_do}")


async def port(server: ServerConfig) -> Finding:
    """Whether the gateway's address is free, or which program answers there."""
    title = "the gateway's address"
    place = f"{server.host}, port {server.port}"
    try:
        for listener in listen(server.host, server.port):
            listener.close()
    except ConfigurationError as error:
        if (seen := await anyio.to_thread.run_sync(_gateway_at, server)) is not None:
            return _finding("port", title, "holds", f"{place}: {seen}")
        advice = "Stop that program, or set another port with --port or server.port."
        return _finding("port", title, "differs", str(error), advice)
    others = ", ".join(each.url for each in running_gateways())
    elsewhere = f"dragoman is running at {others}; " if others else ""
    return _finding("port", title, "holds", f"{elsewhere}port {server.port} is free")


def _gateway_at(server: ServerConfig) -> str | None:
    """The gateway at the address, in words; None for another program.

    With keys it tells a stranger neither its version nor that it is Dragoman, but it has published
    itself to its own user.
    """
    url = url_for(server)
    try:
        health = ask_health(url, seconds=PORT_SECONDS)
    except NotUp:
        return None
    ours = next((each for each in running_gateways() if same_place(each, url)), None)
    version = version_in(health) or (ours and ours.version)
    if version is None:
        return None
    process = f" (process {ours.pid})" if ours is not None else ""
    return f"dragoman {version}{process} is running there; its status is {health['status']}"
