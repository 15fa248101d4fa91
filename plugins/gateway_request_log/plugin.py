"""The request log as a plugin; off unless the configuration has its section."""

import importlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import click
from anyio import to_thread
from pydantic import BaseModel

from gateway import hookimpl
from gateway.context import RequestContext, StreamObserver
from gateway.errors import ConfigurationError
from gateway.interface import Gateway
from gateway.machine.installation import command_for_extra
from gateway.types import ChatRequest
from gateway_request_log.command import logs
from gateway_request_log.config import SECTION, RequestLogConfig
from gateway_request_log.database import Database
from gateway_request_log.json_lines import JsonLines
from gateway_request_log.observer import BodiesObserver, RowObserver
from gateway_request_log.row import Answered
from gateway_request_log.writer import Sink, Writer


class RequestLogPlugin:
    """A row for each answer. One object for each gateway."""

    def __init__(self) -> None:
        self._writers: list[Writer] = []
        self._bodies = False

    @hookimpl
    def gateway_register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        """The section `request_log`."""
        register(SECTION, RequestLogConfig)

    @hookimpl
    def gateway_register_commands(self, cli: click.Group) -> None:
        """`dragoman logs`."""
        cli.add_command(logs)

    @hookimpl
    def gateway_ready(self, gateway: Gateway) -> None:
        """Check that the packages for OpenTelemetry are installed, if it is to be used."""
        config = gateway.config.section(SECTION, RequestLogConfig)
        if gateway.config.enabled(SECTION) and config.otel is not None:
            check_extra()

    @hookimpl
    def gateway_lifespan(self, gateway: Gateway) -> AbstractAsyncContextManager[None] | None:
        """The threads that write."""
        if not gateway.config.enabled(SECTION):
            return None
        return self._writing(gateway.config.section(SECTION, RequestLogConfig))

    @hookimpl
    def gateway_observe(self, request: ChatRequest, ctx: RequestContext) -> StreamObserver | None:
        """Watch an answer, if there is somewhere to write."""
        if not self._writers:
            return None
        observer = BodiesObserver if self._bodies else RowObserver
        return observer(request, ctx, self._put)

    @hookimpl
    def gateway_health(self) -> dict[str, Any] | None:
        """How many rows were written, wait, and are lost, of each sink."""
        if not self._writers:
            return None
        return {
            writer.name: {
                "written": writer.written,
                "waiting": writer.waiting,
                "lost": writer.lost,
            }
            for writer in self._writers
        }

    def _put(self, answered: Answered) -> None:
        for writer in self._writers:
            writer.put(answered)

    @asynccontextmanager
    async def _writing(self, config: RequestLogConfig) -> AsyncGenerator[None]:
        self._bodies = config.bodies
        self._writers = [Writer(name, sink, config.queue_rows) for name, sink in sinks(config)]
        for writer in self._writers:
            writer.start()
        try:
            yield
        finally:
            writers, self._writers = self._writers, []
            for writer in writers:
                await to_thread.run_sync(writer.close)


def sinks(config: RequestLogConfig) -> list[tuple[str, Sink]]:
    """Where the rows go, by name."""
    found: list[tuple[str, Sink]] = []
    if (path := config.database_path) is not None:
        found.append(
            ("database", Database(path, timedelta(days=config.keep_days), config.max_bytes))
        )
    if config.jsonl is not None:
        path = config.jsonl.expanduser()
        found.append(("jsonl", JsonLines(path, config.jsonl_bytes, config.jsonl_files)))
    if config.otel is not None:
        # imported only now: it is an extra, and `check_extra` has seen that it is there
        from gateway_request_log.otel import OpenTelemetry  # noqa: PLC0415

        found.append(("otel", OpenTelemetry(config.otel)))
    return found


def check_extra() -> None:
    """Raises `ConfigurationError` where OpenTelemetry is not installed."""
    try:
        importlib.import_module("gateway_request_log.otel")
    except ImportError as error:
        raise ConfigurationError(
            f"plugins.request_log.otel requires more packages ({error}); add them with: "
            f"`{command_for_extra('otel')}`"
        ) from error
