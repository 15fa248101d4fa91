"""Access, as a plugin: keys and their limits, and which web pages may send requests."""

import logging
import os
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import click
from pydantic import BaseModel
from starlette.types import ASGIApp

from gateway import hookimpl
from gateway.context import Outcome, RequestContext, StreamObserver
from gateway.errors import ConfigurationError, NotAuthenticated
from gateway.interface import Gateway
from gateway.machine.command_name import command_line
from gateway.pipeline.health_parts import asked_for_details
from gateway.streams import EventSource
from gateway.types import ChatRequest, Client
from gateway_access.config import SECTION, AccessConfig, KeyEntry
from gateway_access.key_middleware import KeyMiddleware
from gateway_access.keys.commands import keys_command
from gateway_access.keys.environment import environment_keys
from gateway_access.keys.keys_file import path_of
from gateway_access.keys.known_keys import KnownKeys
from gateway_access.limits.allowed_models import check_model
from gateway_access.limits.key_limits import KeyLimits, Limits
from gateway_access.limits.places import in_place
from gateway_access.limits.running_answers import WATCH_SECONDS, RunningAnswers, revoked
from gateway_access.page_middleware import PageMiddleware, PageRules
from gateway_access.rejection import Reject

log = logging.getLogger("gateway_access")


class AccessPlugin:
    """Lets requests in, or rejects them. One object for each gateway."""

    def __init__(self) -> None:
        self._keys: KnownKeys | None = None
        self._limits = Limits()
        self._running = RunningAnswers()
        self._rules: PageRules | None = None

    @hookimpl
    def gateway_register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        """The section `access`."""
        register(SECTION, AccessConfig)

    @hookimpl
    def gateway_register_commands(self, cli: click.Group) -> None:
        """`dragoman keys`."""
        cli.add_command(keys_command)

    @hookimpl(tryfirst=True)  # so that the others see whether keys are required
    def gateway_ready(self, gateway: Gateway) -> None:
        """Read the keys, and reject a configuration that lets every web page in without one."""
        config = gateway.config.section(SECTION, AccessConfig)
        self._keys = keys = known_keys(config, gateway)
        gateway.requires_keys = keys.required
        if (open_to_all := _opened_without_keys(config, keys)) is not None:
            raise ConfigurationError(
                f"plugins.access.{open_to_all} allows every web page, which is safe only with "
                f"keys: create one with `{command_line('keys', 'new', 'NAME')}`"
            )
        if keys.required and not len(keys.current()):
            log.warning(
                "no keys: every request is rejected; create one with `%s`",
                command_line("keys", "new", "NAME"),
            )
        self._rules = PageRules(gateway.host, config)

    @hookimpl(tryfirst=True)
    def gateway_asgi_wrapper(self, gateway: Gateway) -> Callable[[ASGIApp], ASGIApp]:
        """Outside of everything else, so that nothing is done for a request that is rejected."""
        assert self._keys is not None  # noqa: S101 - made in gateway_ready
        assert self._rules is not None  # noqa: S101
        return partial(
            _wrapped,
            gateway=gateway,
            rules=self._rules,
            keys=self._keys,
            limits=self._limits,
        )

    @hookimpl
    def gateway_reconfigured(self, gateway: Gateway) -> Collection[str]:
        """Take up other names and origins at once; other keys need a restart."""
        if self._rules is None or self._keys is None:
            return ()
        new, old = gateway.config.section(SECTION, AccessConfig), self._rules.config
        names = {"hosts": old.hosts, "origins": old.origins}
        if new.model_copy(update=names) != old or _opened_without_keys(new, self._keys):
            return ()
        self._rules.use(new)
        return (SECTION,)

    @hookimpl
    def gateway_health(self) -> dict[str, Any] | None:
        """The rejected names and origins, only for `GET /health` itself."""
        if self._rules is None or not asked_for_details():
            return None
        return {"refused": self._rules.rejected.report(self._rules.listed)}

    @hookimpl(tryfirst=True)
    def gateway_transform_request(self, request: ChatRequest, ctx: RequestContext) -> None:
        """Check that the key may use the model. No change."""
        entry = self._entry(request)
        if entry is not None and entry.models:
            check_model(entry, request.model, ctx.gateway.find(request.model).reach)

    @hookimpl(trylast=True)
    def gateway_wrap_stream(
        self, stream: EventSource, request: ChatRequest, ctx: RequestContext
    ) -> EventSource | None:
        """Outermost: nothing of an answer begins before its key has a place for it."""
        entry = self._entry(request)
        limits = self._limits.of(entry) if entry is not None else None
        if limits is None or limits.places is None:
            return None
        return in_place(stream, limits.places, ctx)

    @hookimpl
    @asynccontextmanager
    async def gateway_lifespan(self, gateway: Gateway) -> AsyncGenerator[None]:
        """Ends the answers of keys that are revoked, and has their callers forgotten."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch_keys, gateway)
            yield
            tasks.cancel_scope.cancel()

    async def _watch_keys(self, gateway: Gateway) -> None:
        if self._keys is None:
            return
        known = self._keys.current()
        while True:
            await anyio.sleep(WATCH_SECONDS)
            current = self._keys.current()
            if self._running:
                self._running.end_revoked(current)
            for name in current.revoked_since(known):
                gateway.forget(Client(key=name).caller)
            known = current

    @hookimpl
    def gateway_observe(self, request: ChatRequest, ctx: RequestContext) -> StreamObserver | None:
        """Track the answers in progress for each key, and count the tokens of those with a limit."""
        try:
            entry = self._entry(request)
        except NotAuthenticated:
            return None
        if entry is None:
            return None
        self._running.add(entry, ctx)
        return _KeyObserver(partial(self._running.remove, ctx), self._limits.of(entry))

    def _entry(self, request: ChatRequest) -> KeyEntry | None:
        """The key of a request, if keys are required."""
        if self._keys is None or not self._keys.required or request.client.key is None:
            return None
        if (entry := self._keys.current().named(request.client.key)) is None:
            raise revoked()
        return entry


class _KeyObserver:
    """Counts the tokens of an answer against its key's limit."""

    def __init__(self, is_over: Callable[[], None], limits: KeyLimits | None) -> None:
        self._is_over = is_over
        self._limits = limits

    def on_end(self, outcome: Outcome) -> None:
        """Whatever was used counts, also by answers that failed half-way."""
        self._is_over()
        if outcome.usage is not None and self._limits is not None:
            self._limits.spend(outcome.usage.total_tokens)


def known_keys(config: AccessConfig, gateway: Gateway) -> KnownKeys:
    """The keys of the YAML, the environment and the file. Raises `ConfigurationError`."""
    return KnownKeys(
        [*config.keys, *environment_keys(os.environ)],
        path_of(config, gateway.config.path),
        required=config.keys_file is not None,
    )


def _opened_without_keys(config: AccessConfig, keys: KnownKeys) -> str | None:
    """The setting that lets every page in although no key is required, if there is one."""
    return None if keys.required else next(iter(config.open_to_all), None)


def _wrapped(
    app: ASGIApp, *, gateway: Gateway, rules: PageRules, keys: KnownKeys, limits: Limits
) -> ASGIApp:
    """The middleware around an application: pages, with CORS, which answers preflights, then keys."""
    reject = Reject(gateway)
    return PageMiddleware(KeyMiddleware(app, keys, limits, reject), rules, reject)
