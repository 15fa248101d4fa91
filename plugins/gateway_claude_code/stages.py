"""The choice of the stage that serves: the real one, the stand-in, or first that and then the real one.

The change happens in a gateway that was started with `--offline-until-login`, once there is a login.
Answers that run finish where they began; the next request is the real stage's.
"""

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Final

import anyio
from anyio.abc import TaskGroup, TaskStatus

from gateway.backend_status import BackendStatus
from gateway.context import RequestContext
from gateway.errors import BackendUnavailable, GatewayError
from gateway.interface import Gateway
from gateway.logs import IN_BANNER
from gateway.machine.command_name import command_line
from gateway.streams import EventSource
from gateway.types import ChatRequest, StreamEvent, Target
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.login.status import cli_status
from gateway_claude_code.login.watch import LoginWatch
from gateway_claude_code.login.words import not_logged_in
from gateway_claude_code.orphans.reaper import OrphanReaper
from gateway_claude_code.process import command
from gateway_claude_code.process.environment import CliEnvironment, stand_in
from gateway_claude_code.stage import Stage, open_stage
from gateway_claude_code.upstream import Script, offline_script

log = logging.getLogger("gateway_claude_code")

CHANGE_SECONDS: Final = 5
"""How long a request waits for a change that has begun, at most; it takes milliseconds."""
LOOK_SECONDS: Final = 3
"""For the CLI's login before the gateway serves; 0.5 s is usual, and two on a busy machine."""
UNTIL_THEN: Final = "until then, answers come from a built-in stand-in, not from a model"


class Stages:
    """The stage that serves now, and the way to the next one; works only within `running`."""

    def __init__(self, gateway: Gateway, config: ClaudeCodeConfig, usual_model: str | None) -> None:
        self._gateway = gateway
        self._config = config
        # the ledger is the user's also when offline: the next gateway has to find it
        reaper = OrphanReaper(command.own_directory(os.environ) / "processes", os.environ)
        self._open = partial(open_stage, config, reaper=reaper, usual_model=usual_model)
        self._current: Stage | None = None
        self._login: LoginWatch | None = None
        self._changed = anyio.Event()
        self._ended = anyio.Event()
        self._waiting = anyio.CancelScope()
        self._finishing = anyio.CancelScope()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """While this is open, requests are answered."""
        if self._gateway.until_login:
            await self._first_look()
        async with anyio.create_task_group() as tasks:
            hold = self._hold_stand_in if self._gateway.offline else self._hold_real
            self._current = await tasks.start(hold)
            if self._login is not None:
                tasks.start_soon(self._change_over, self._login, tasks)
            try:
                yield
            finally:
                self._login = None
                self._waiting.cancel()
                self._finishing.cancel()
                self._ended.set()
                self._changed.set()

    @property
    def known(self) -> KnownModels | None:
        """The facts about models, while requests are answered."""
        stage = self._current
        return stage.backend.known if stage is not None and stage.open else None

    def forget(self, caller: str) -> None:
        """Keep nothing for a caller that will not come back."""
        if self._current is not None:
            self._current.backend.forget(caller)

    def report(self) -> BackendStatus:
        """The plugin's part of `GET /health`; the last one, when nothing is served any more."""
        if self._current is None:
            return {"status": "starting"}
        report = self._current.report()
        return report if self._login is None else {**report, "waiting_for_login": True}

    def answer(self, request: ChatRequest, target: Target, ctx: RequestContext) -> EventSource:
        """The stream of one answer. Raises `BackendUnavailable` where nothing is served."""
        if self._current is None:
            raise BackendUnavailable("the gateway is not serving yet")
        if self._login is not None:
            return self._answer_after_looking(self._login, request, target, ctx)
        return self._current.answer(request, target, ctx)

    async def _answer_after_looking(
        self, login: LoginWatch, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        """The first answer after a login is the model's, even if nobody has noticed it yet."""
        if await login.look():
            with anyio.move_on_after(CHANGE_SECONDS):
                await self._changed.wait()
        assert self._current is not None  # noqa: S101 - it is never taken away
        async with aclosing(self._current.answer(request, target, ctx)) as events:
            async for event in events:
                yield event

    async def _first_look(self) -> None:
        """With a login, the real stage serves from the start.

        A CLI that does not answer holds up the start for `LOOK_SECONDS` at most.
        """
        environ = dict(os.environ)
        self._login = LoginWatch.of(self._config, environ)
        status = None
        try:
            with anyio.move_on_after(LOOK_SECONDS):
                status = await cli_status(self._config, environ)
        except GatewayError:
            return  # without a CLI the stand-in does not answer either; its stage logs the reason
        if status is None:
            log.warning("the Claude Code CLI does not respond; %s", UNTIL_THEN, extra=IN_BANNER)
        elif status.logged_in:
            self._gateway.offline = self._gateway.until_login = False
            self._login = None
        else:
            log.warning("%s; %s", not_logged_in(status), UNTIL_THEN, extra=IN_BANNER)

    async def _change_over(self, login: LoginWatch, tasks: TaskGroup) -> None:
        with self._waiting:
            found = await login.wait()
            self._current = await tasks.start(self._hold_real)
            self._gateway.offline = self._gateway.until_login = False
            self._login = None
            log.info("logged in (%s): the model answers from now on", found.method)
            self._changed.set()

    async def _hold_real(self, *, task_status: TaskStatus[Stage]) -> None:
        async with self._open(CliEnvironment.of_user(), stand_in=False) as stage:
            task_status.started(stage)
            await self._ended.wait()

    async def _hold_stand_in(self, *, task_status: TaskStatus[Stage]) -> None:
        """Its processes, its folder and its port go when its last answer has ended."""
        async with (
            stand_in(self._script()) as cli_environment,
            self._open(
                cli_environment, stand_in=True, until_login=self._login is not None
            ) as stage,
        ):
            task_status.started(stage)
            await self._changed.wait()
            with self._finishing:
                await stage.finish()

    def _script(self) -> Script:
        if self._login is None:
            return partial(offline_script, says_so=True)
        log_in = command_line("login", anywhere=True)
        hint = f"Run `{log_in}`; then the model answers."
        return partial(offline_script, says_so=True, hint=hint)
