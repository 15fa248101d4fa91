"""The Claude Code backend as a plugin."""

import logging
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import click
from pydantic import BaseModel, ValidationError

from gateway import health, hookimpl
from gateway.command_options import config_option
from gateway.config import Config, find_file, load, packaged_file
from gateway.context import RequestContext
from gateway.errors import BackendUnavailable, GatewayError
from gateway.models import ModelMap
from gateway.pipeline import Gateway
from gateway.streams import EventSource
from gateway.types import ChatRequest, ModelDescription, Target
from gateway_claude_code import command
from gateway_claude_code.account.usage import WITH_WINDOWS, PlanUsage, Windows, ask_windows
from gateway_claude_code.agent import ModelOptions
from gateway_claude_code.backend import ClaudeCodeBackend
from gateway_claude_code.config import SECTION, ClaudeCodeConfig
from gateway_claude_code.doctor.command import doctor
from gateway_claude_code.doctor.watch import watch
from gateway_claude_code.errors import LOGIN_HELP
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.installed.report import health_of as installed_of
from gateway_claude_code.keeper import Keeper
from gateway_claude_code.launch import launch_for, program_at
from gateway_claude_code.login import CliStatus, cli_status
from gateway_claude_code.model_description import describe, known_from_outside
from gateway_claude_code.pool import Pool
from gateway_claude_code.surroundings import Surroundings
from gateway_claude_code.upstream import Upstream, offline_script

log = logging.getLogger("gateway_claude_code")

BACKEND: Final = "claude-code"
ANY_MODEL: Final = "sonnet"
"""For a process that asks no model."""
EXIT_NO_LOGIN: Final = 1
EXIT_NO_CLI: Final = 2


class ClaudeCodePlugin:
    """Answers models of the backend "claude-code". One object for each gateway."""

    def __init__(self) -> None:
        self._backend: ClaudeCodeBackend | None = None
        self._usage: PlanUsage | None = None
        self._health: dict[str, Any] = {"status": "starting"}
        self._config: Config | None = None
        self._known: KnownModels | None = None

    @hookimpl
    def gateway_register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        """The section `claude_code`."""
        register(SECTION, ClaudeCodeConfig)

    @hookimpl
    def gateway_check_models(self, models: ModelMap, config: Config) -> None:
        """Refuse options that there are none of, and name what looks like this backend misspelt.

        That is not refused: another plugin's backend may be named so.
        """
        self._config = config
        for name, entry in models.entries.items():
            if entry.backend == BACKEND:
                try:
                    ModelOptions.model_validate(entry.options)
                except ValidationError as error:
                    location = ("models", name, "options")
                    raise config.explain(error, location, ModelOptions) from None
            elif get_close_matches(entry.backend.replace("_", "-").lower(), [BACKEND], cutoff=0.8):
                log.warning(
                    "the model %r has the backend %r: was %r meant?", name, entry.backend, BACKEND
                )

    @hookimpl
    def gateway_lifespan(self, gateway: Gateway) -> AbstractAsyncContextManager[None]:
        """The stand-in for the model's API when offline, and a look at the CLI."""
        return self._serve(gateway)

    @hookimpl
    def gateway_open_stream(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> EventSource | None:
        """The stream of one answer."""
        if target.backend != BACKEND:
            return None
        if self._backend is None:
            raise BackendUnavailable("the gateway is not serving yet")
        return self._backend.answer(request, target, ctx)

    @hookimpl
    def gateway_describe_model(self, target: Target) -> ModelDescription | None:
        """The facts about the model: those that the running backend goes by, else what is known."""
        return describe(self._known_models(), target) if target.backend == BACKEND else None

    def _known_models(self) -> KnownModels:
        if self._backend is not None:
            return self._backend.known
        if self._known is None:
            config = self._config and self._config.section(SECTION, ClaudeCodeConfig)
            self._known = known_from_outside(config or ClaudeCodeConfig(), os.environ)
        return self._known

    @hookimpl
    def gateway_health(self) -> dict[str, Any]:
        """What was found out about the CLI since the start, its processes, and the plan's quota.

        An account that is refused degrades the gateway, until the time of the reset.
        """
        if self._backend is None:
            return self._health
        has_windows = self._health.get("login") == WITH_WINDOWS
        if self._usage is not None and has_windows and health.asked_for_details():
            self._usage.want()
        report = {**self._health, **self._backend.report()}
        if (account := report.get("account")) is not None and report["status"] == "ok":
            report["status"] = account["state"]
        gate = self._backend.gate
        why = gate.refusal
        unsafe = {"status": "unsafe_cli", "message": why} if why is not None else {}
        return {**report, **unsafe, **installed_of(report), "cli_check": gate.health}

    @hookimpl
    def gateway_register_commands(self, cli: click.Group) -> None:
        """`dragoman login-status` and `dragoman doctor`."""
        cli.add_command(login_status)
        cli.add_command(doctor)

    @asynccontextmanager
    async def _serve(self, gateway: Gateway) -> AsyncGenerator[None]:
        config = gateway.config.section(SECTION, ClaudeCodeConfig)
        async with _surroundings(offline=gateway.offline) as surroundings:
            # of the user also when offline: the next gateway has to find it
            keeper = Keeper(command.own_directory(os.environ) / "processes", os.environ)
            backend = ClaudeCodeBackend(config, surroundings, keeper)
            async with backend.running(), anyio.create_task_group() as tasks:
                self._backend = backend
                tasks.start_soon(backend.catalogue.tend)
                tasks.start_soon(self._look_at_cli, config, surroundings, _usual_model(gateway))
                ask = partial(_ask_windows, backend.pool, config, surroundings)
                self._usage = PlanUsage(ask, backend.pool.quota.note_windows)
                tasks.start_soon(self._usage.keep_up)
                if config.check_cli:
                    slots = backend.pool.slots
                    tasks.start_soon(watch, backend.gate, config, surroundings.environ, slots)
                yield
                tasks.cancel_scope.cancel()
                self._backend = self._usage = None

    async def _look_at_cli(
        self, config: ClaudeCodeConfig, surroundings: Surroundings, usual_model: str | None
    ) -> None:
        environ = {**surroundings.environ, **surroundings.overrides}
        try:
            status = await cli_status(config, environ)
        except GatewayError as error:
            log.warning("%s", error.message)
            self._health = {"status": "unavailable", "message": error.message}
            if self._backend is not None:
                self._backend.catalogue.nobody_to_ask()
            return
        self._health = _health_of(status)
        if self._backend is not None:
            self._backend.gate.notice(program_at(status.path))
            if status.logged_in:
                self._backend.catalogue.notice(program_at(status.path), status.method)
            else:
                self._backend.catalogue.nobody_to_ask()
            self._backend.learning.cache_marks.expect_login(status.method)
        log.info("the CLI is %s, version %s, login: %s", status.path, status.version, status.method)
        if not status.logged_in:
            log.warning("the Claude Code CLI is not logged in: %s", LOGIN_HELP)
        elif self._backend is not None and usual_model is not None:
            self._backend.expect(usual_model, status.version)


async def _ask_windows(pool: Pool, config: ClaudeCodeConfig, surroundings: Surroundings) -> Windows:
    """Ask the CLI for the plan's windows. Raises `GatewayError`."""
    environ, overrides = surroundings.environ, surroundings.overrides
    launch = launch_for(config, environ, overrides, ANY_MODEL, one_request=False)
    async with pool.aside(launch) as process:
        return await ask_windows(process)


def _usual_model(gateway: Gateway) -> str | None:
    """What processes are kept ready for: the first model of the map that is the CLI's."""
    targets = (gateway.models.resolve(name) for name in gateway.models.names)
    return next((target.name for target in targets if target.backend == BACKEND), None)


def _health_of(status: CliStatus) -> dict[str, Any]:
    state = "ok"
    if status.version is None:
        state = "silent"
    elif not status.logged_in:
        state = "not_logged_in"
    return {
        "status": state,
        "cli_path": str(status.path),
        "cli_version": status.version,
        "answers": status.version is not None,
        "logged_in": status.logged_in,
        "login": status.method if status.logged_in else None,
    }


@asynccontextmanager
async def _surroundings(*, offline: bool) -> AsyncGenerator[Surroundings]:
    if not offline:
        yield Surroundings.of_user()
        return
    with tempfile.TemporaryDirectory(prefix="dragoman-", ignore_cleanup_errors=True) as home:
        async with Upstream(offline_script, record=False) as upstream:
            yield Surroundings.offline(upstream.url, Path(home))


LOGIN_EXAMPLES = """\b
Examples:
  dragoman login-status
  dragoman login-status && dragoman serve
"""


@click.command("login-status", epilog=LOGIN_EXAMPLES)
@config_option
def login_status(config_file: Path | None) -> None:
    """Say whether the Claude Code CLI is logged in (exit code 1 if not, 2 if there is no CLI)."""
    loaded = load(find_file(config_file, packaged_file()), packaged_file())
    section = loaded.values.plugins.get(SECTION)
    try:
        config = ClaudeCodeConfig.model_validate(section if isinstance(section, dict) else {})
    except ValidationError as error:
        raise loaded.explain(error, ("plugins", SECTION), ClaudeCodeConfig) from None
    try:
        status = anyio.run(cli_status, config, dict(os.environ))
    except GatewayError as error:
        click.echo(f"dragoman: {error.message}", err=True)
        sys.exit(EXIT_NO_CLI)
    if not status.logged_in:
        click.echo(f"The Claude Code CLI is not logged in: {LOGIN_HELP}.", err=True)
        sys.exit(EXIT_NO_LOGIN)
    click.echo(f"The Claude Code CLI {status.version} is logged in ({status.method}).")
