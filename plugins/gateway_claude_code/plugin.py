"""The Claude Code backend as a plugin."""

import logging
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from difflib import get_close_matches
from typing import Final

import click
from pydantic import BaseModel, ValidationError

from gateway import hookimpl
from gateway.backend_status import BackendStatus
from gateway.config.settings import Config
from gateway.context import RequestContext
from gateway.errors import BackendUnavailable
from gateway.interface import Gateway
from gateway.models.model_map import ModelMap
from gateway.streams import EventSource
from gateway.types import ChatRequest, ModelDescription, Target
from gateway_claude_code.agent import ModelOptions
from gateway_claude_code.config import SECTION, ClaudeCodeConfig
from gateway_claude_code.doctor.command import doctor
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.installed.report import health_of as installed_of
from gateway_claude_code.knowledge.model_description import describe, known_from_outside
from gateway_claude_code.login_command import login, login_status
from gateway_claude_code.stages import Stages

log = logging.getLogger("gateway_claude_code")

BACKEND: Final = "claude-code"


class ClaudeCodePlugin:
    """Answers models of the backend "claude-code". One object for each gateway."""

    def __init__(self) -> None:
        self._stages: Stages | None = None
        self._config: Config | None = None
        self._known: KnownModels | None = None

    @hookimpl
    def gateway_register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        """The section `claude_code`."""
        register(SECTION, ClaudeCodeConfig)

    @hookimpl
    def gateway_check_models(self, models: ModelMap, config: Config) -> None:
        """Reject unknown options, and warn of a backend that looks like this one misspelt.

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
                    "the model %r has the backend %r: did you mean %r?",
                    name,
                    entry.backend,
                    BACKEND,
                )

    @hookimpl
    def gateway_lifespan(self, gateway: Gateway) -> AbstractAsyncContextManager[None]:
        """The backend; when offline, one that asks a stand-in instead of the model's API."""
        gateway.limits_itself(BACKEND)
        return self._serve(gateway)

    @hookimpl
    def gateway_open_stream(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> EventSource | None:
        """The stream of one answer."""
        if target.backend != BACKEND:
            return None
        if self._stages is None:
            raise BackendUnavailable("the gateway is not serving yet")
        return self._stages.answer(request, target, ctx)

    @hookimpl
    def gateway_describe_model(self, target: Target) -> ModelDescription | None:
        """The facts about the model: those that the running backend goes by, else what is known."""
        if target.backend != BACKEND:
            return None
        return describe(self._known_models(), target, self._section().web_search)

    def _section(self) -> ClaudeCodeConfig:
        config = self._config and self._config.section(SECTION, ClaudeCodeConfig)
        return config or ClaudeCodeConfig()

    def _known_models(self) -> KnownModels:
        if self._stages is not None and (known := self._stages.known) is not None:
            return known
        if self._known is None:
            self._known = known_from_outside(self._section(), os.environ)
        return self._known

    @hookimpl
    def gateway_health(self) -> BackendStatus:
        """What was found out about the CLI since the start, its processes, and the plan's quota."""
        starting = BackendStatus(status="starting")
        report = starting if self._stages is None else self._stages.report()
        return {**report, **installed_of(report)}

    @hookimpl
    def gateway_caller_left(self, caller: str) -> None:
        """End the caller's processes, which another one of the same name must not get."""
        if self._stages is not None:
            self._stages.forget(caller)

    @hookimpl
    def gateway_register_commands(self, cli: click.Group) -> None:
        """`dragoman login` and `dragoman doctor`."""
        for command_of_ours in (login, login_status, doctor):
            cli.add_command(command_of_ours)

    @asynccontextmanager
    async def _serve(self, gateway: Gateway) -> AsyncGenerator[None]:
        config = gateway.config.section(SECTION, ClaudeCodeConfig)
        self._stages = Stages(gateway, config, _usual_model(gateway))
        async with self._stages.running():
            yield


def _usual_model(gateway: Gateway) -> str | None:
    """The model that processes are kept ready for: the first one of the map that is the CLI's."""
    targets = (gateway.models.resolve(name) for name in gateway.models.names)
    return next((target.name for target in targets if target.backend == BACKEND), None)
