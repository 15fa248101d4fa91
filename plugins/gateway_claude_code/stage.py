"""A backend while it serves, real or a stand-in, and the tasks that keep its knowledge up to date."""

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, cast

import anyio

from gateway.backend_status import BackendStatus, CliCheck, RefusedLogin
from gateway.context import RequestContext
from gateway.errors import BackendUnavailable, GatewayError, NotAuthenticated
from gateway.logs import IN_BANNER
from gateway.pipeline.health_parts import asked_for_details
from gateway.types import ChatRequest, ResponseStart, StreamEvent, Target
from gateway_claude_code.account.refusals import AccountRefusal
from gateway_claude_code.backend import ANY_MODEL, ClaudeCodeBackend
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.doctor.background_check import check_in_background
from gateway_claude_code.knowledge.usage import WITH_WINDOWS, PlanUsage, Windows, ask_windows
from gateway_claude_code.login.status import CliStatus, cli_status
from gateway_claude_code.login.watch import LoginWatch
from gateway_claude_code.login.words import not_logged_in
from gateway_claude_code.orphans.reaper import OrphanReaper
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.process import command
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.process.launch import launch_for, program_at
from gateway_claude_code.response.failures import LoginRefused
from gateway_claude_code.response.outages import LoginRefusal, Outages, account_text

log = logging.getLogger("gateway_claude_code")

OFFLINE_HEADER: Final = "x-dragoman-offline"
"""On each answer of the stand-in, so also on those whose text can't say so: calls and JSON."""

NOT_READY: Final = frozenset(
    ("starting", "unavailable", "silent", "not_logged_in", "unsafe_cli", "failing")
)
"""States in which no request can be answered. A plan that is used up is none: other models may do."""

DOUBT_SECONDS: Final = 10
"""How often the CLI is asked, at most, while the API goes on refusing its login."""


@dataclass(kw_only=True)
class Stage:
    """Answers with one backend while it is open.

    `found` is the part of `/health` that says what was found out about the CLI. With `stand_in` no
    model is asked, and there is no login; with `until_login` that is so only for now.
    """

    backend: ClaudeCodeBackend
    config: ClaudeCodeConfig
    cli_environment: CliEnvironment
    stand_in: bool
    usual_model: str | None
    usage: PlanUsage
    found: BackendStatus = field(default_factory=lambda: BackendStatus(status="starting"))
    open: bool = True
    until_login: bool = False
    _refusal: LoginRefusal | None = None
    _outages: Outages = field(default_factory=Outages)
    _running: int = 0
    _idle: anyio.Event = field(default_factory=anyio.Event)
    _doubted: anyio.Event = field(default_factory=anyio.Event)

    async def answer(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        """The events of one answer. Raises `GatewayError`."""
        if not self.open:
            raise BackendUnavailable("the gateway is not serving")
        if self.stand_in:
            ctx.headers[OFFLINE_HEADER] = "true"
        self._running += 1
        try:
            async with aclosing(self.backend.answer(request, target, ctx)) as events:
                async for event in events:
                    if isinstance(event, ResponseStart):
                        self._note_success()
                    yield event
        except GatewayError as error:
            self._note_failure(error)
            raise
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    def _note_failure(self, error: GatewayError) -> None:
        """Log what will fail other requests too, the first time; have the login looked at."""
        if isinstance(error, NotAuthenticated):
            self._doubted.set()
        if isinstance(error, LoginRefused):
            self._refusal = LoginRefusal.of(error, self._environ)
            self._outages.begin("login", error.sentence, self._refusal.text())
        elif isinstance(error, AccountRefusal):
            details = (error.state, error.limit, error.resets_at)
            self._outages.begin("account", details, account_text(error))
        elif isinstance(error, BackendUnavailable) and (path := self.found.get("cli_path")):
            try:
                command.find_cli(self.config, self._environ)
            except BackendUnavailable:
                self._outages.begin("cli", path, f"the CLI is missing: {path}; requests get a 503")

    def _note_success(self) -> None:
        self._refusal = None
        self._outages.end("login", "the login is accepted again")
        self._outages.end("cli", "the CLI is available again")
        if "account" in self._outages and not self.backend.pool.quota.account():
            self._outages.end("account", "the account is no longer refused")

    @property
    def _environ(self) -> dict[str, str]:
        return {**self.cli_environment.environ, **self.cli_environment.overrides}

    def _login_refused(self) -> BackendStatus:
        """The refusal, unless the login has changed since."""
        if self._refusal is not None and not self._refusal.holds(self._environ):
            self._refusal = None
            self._outages.end("login")
        if self._refusal is None:
            return {}
        return {"login_refused": cast(RefusedLogin, self._refusal.report())}

    async def finish(self) -> None:
        """Give back what is idle, and wait until the last answer has ended."""
        self.backend.pool.close_idle()
        while self._running:
            self._idle = anyio.Event()
            await self._idle.wait()

    def report(self) -> BackendStatus:
        """For `GET /health`. A login or an account that is refused degrades the gateway.

        `login_refused` has the time (`at`, ISO 8601) and the API's sentence (`message`).
        """
        if not self.open:
            return self.found
        has_windows = self.found.get("login") == WITH_WINDOWS
        if has_windows and asked_for_details():
            self.usage.want()
        refused = self._login_refused()
        pool = cast(BackendStatus, self.backend.report())
        report: BackendStatus = {**self.found, **pool, **refused}
        if refused and report["status"] == "ok":
            report["status"] = "login_refused"
        if (account := report.get("account")) is not None and report["status"] == "ok":
            report["status"] = account["state"]
        verdict = self.backend.verdict
        why = verdict.refusal
        unsafe = BackendStatus(status="unsafe_cli", message=why) if why is not None else {}
        report = {**report, **unsafe, **self._gone()}
        report["cli_check"] = cast(CliCheck, verdict.health)
        return {**report, "ready": report["status"] not in NOT_READY}

    def _gone(self) -> BackendStatus:
        """Whether the program that was found is still there, looked up for each report."""
        path = self.found.get("cli_path")
        if path is None or os.access(path, os.X_OK):
            return {}
        message = f"the Claude Code CLI {path} is missing or not executable"
        return {"status": "unavailable", "message": message}

    async def look_at_cli(self) -> None:
        """Find out about the CLI, and again each time that it is logged in or out."""
        environ = self._environ
        while True:
            if not await self._look(environ):
                login = await LoginWatch.of(self.config, environ).wait()
                self._refusal = None
                self._outages.end("login")
                if not self.stand_in:
                    log.info("logged in (%s)", login.method)
                await self._look(environ)
            await self._logged_out(environ)

    async def _logged_out(self, environ: dict[str, str]) -> None:
        """Wait until it is so; the CLI is asked only after an answer has failed for that."""
        while True:
            await self._doubted.wait()
            login = LoginWatch.of(self.config, environ)
            if not await login.look():
                self._doubted = anyio.Event()
                return
            await anyio.sleep(DOUBT_SECONDS)  # the API refuses a login that the CLI has
            self._doubted = anyio.Event()

    async def _look(self, environ: dict[str, str]) -> bool:
        """Whether there is a CLI with a login; for a stand-in, its made-up key is one."""
        backend = self.backend
        try:
            status = await cli_status(self.config, environ)
        except GatewayError as error:
            log.warning("%s", error.message, extra=IN_BANNER)
            named = command.is_named(self.config, environ)
            self.found = {"status": "unavailable", "message": error.message, "cli_named": named}
            backend.catalogue.nobody_to_ask()
            return False
        self.found = health_of(status, stand_in=self.stand_in)
        program = program_at(status.path)
        backend.verdict.notice(program)
        backend.learning.cache_marks.expect_login(status.method)
        login = status.method
        if self.stand_in:
            login = "none yet" if self.until_login else "not needed"
        found = "the CLI is %s, version %s, login: %s"
        log.info(found, status.path, status.version, login, extra=IN_BANNER)
        if not status.logged_in:
            backend.catalogue.nobody_to_ask()
            log.warning("%s", not_logged_in(status), extra=IN_BANNER)
            return False
        backend.catalogue.notice(program, status.method)
        if self.usual_model is not None:
            backend.expect(self.usual_model, status.version)
        return True


@asynccontextmanager
async def open_stage(
    config: ClaudeCodeConfig,
    cli_environment: CliEnvironment,
    reaper: OrphanReaper,
    usual_model: str | None,
    *,
    stand_in: bool,
    until_login: bool = False,
) -> AsyncGenerator[Stage]:
    """A stage that answers until the end of the context, where its processes are closed.

    `usual_model` is the one that processes are kept ready for; for `until_login` see `Stage`.
    """
    backend = ClaudeCodeBackend(config, cli_environment, reaper)
    pool = backend.pool
    usage = PlanUsage(partial(_ask_windows, pool, config, cli_environment), pool.quota.note_windows)
    async with backend.running(), anyio.create_task_group() as tasks:
        stage = Stage(
            backend=backend,
            config=config,
            cli_environment=cli_environment,
            stand_in=stand_in,
            until_login=until_login,
            usual_model=usual_model,
            usage=usage,
        )
        tasks.start_soon(backend.catalogue.tend)
        tasks.start_soon(stage.look_at_cli)
        tasks.start_soon(usage.keep_up)
        if config.check_cli:
            tasks.start_soon(
                check_in_background, backend.verdict, config, cli_environment.environ, pool.slots
            )
        try:
            yield stage
        finally:
            stage.open = False
        tasks.cancel_scope.cancel()


async def _ask_windows(
    pool: Pool, config: ClaudeCodeConfig, cli_environment: CliEnvironment
) -> Windows:
    """Ask the CLI for the plan's windows. Raises `GatewayError`."""
    launch = launch_for(config, cli_environment, ANY_MODEL)
    async with pool.aside(launch) as process:
        return await ask_windows(process)


def health_of(status: CliStatus, *, stand_in: bool = False) -> BackendStatus:
    """The findings about the CLI. A stand-in's made-up key says nothing about the login."""
    state = "ok"
    if status.version is None:
        state = "silent"
    elif not status.logged_in:
        state = "not_logged_in"
    found = BackendStatus(
        status=state,
        cli_path=str(status.path),
        cli_version=status.version,
        answers=status.version is not None,
        logged_in=None if stand_in else status.logged_in,
        login=status.method if status.logged_in and not stand_in else None,
    )
    if stand_in:
        found["stand_in"] = True
    return found
