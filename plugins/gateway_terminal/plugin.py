"""The terminal as a plugin: commands, the banner of `serve`, and the last errors."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio
import click

from gateway import hookimpl, logs
from gateway.context import RequestContext, StreamObserver
from gateway.interface import Gateway
from gateway_terminal.chat_command import chat
from gateway_terminal.completion_command import completion
from gateway_terminal.connect.command import connect
from gateway_terminal.init_command import init
from gateway_terminal.status.command import status
from gateway_terminal.status.recent_errors import RecentErrors, Watch
from gateway_terminal.welcome import welcome


class TerminalPlugin:
    """One object for each gateway."""

    def __init__(self) -> None:
        self._errors = RecentErrors()
        self._started: datetime | None = None

    @hookimpl
    def gateway_register_commands(self, cli: click.Group) -> None:
        """The everyday commands."""
        for command in (init, chat, connect, status, completion):
            cli.add_command(command)

    @hookimpl(trylast=True)
    def gateway_ready(self) -> None:
        """From here on the log leaves out what the banner says."""
        logs.hold_start()

    @hookimpl
    def gateway_lifespan(self, gateway: Gateway) -> AbstractAsyncContextManager[None]:
        """Prints the address and the next step, once the backend knows its state."""
        return self._serve(gateway)

    @hookimpl
    def gateway_observe(self, ctx: RequestContext) -> StreamObserver:
        """Keeps the failures."""
        return Watch(self._errors, ctx)

    @hookimpl
    def gateway_health(self) -> dict[str, Any] | None:
        """Since when it serves, how many answers it gave, and the last errors."""
        if self._started is None:
            return None
        return {
            "started_at": self._started.isoformat(timespec="seconds"),
            "answered": self._errors.answered,
            "failed": self._errors.failed,
            "last_errors": self._errors.report(),
        }

    @asynccontextmanager
    async def _serve(self, gateway: Gateway) -> AsyncGenerator[None]:
        self._started = datetime.now(UTC)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(welcome, gateway)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()
                logs.start_is_over(banner=False)
