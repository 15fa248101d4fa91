"""The path of a request: resolve the model, transform, open, wrap, observe."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway import __version__
from gateway.config.settings import Config
from gateway.context import Gateway, Outcome, RequestContext
from gateway.errors import BackendUnavailable, GatewayError
from gateway.frontend.registration import Frontends
from gateway.hooks.registry import PluginRegistry
from gateway.load.in_flight import CallsInFlight
from gateway.load.loop_watch import LoopWatch
from gateway.load.saturation import Saturation
from gateway.load.traffic import Traffic
from gateway.models.defaults import with_entry, without_entry
from gateway.models.descriptions import least_of, within_limits
from gateway.models.model_map import Found, ModelMap
from gateway.models.splits import conversation_key
from gateway.pipeline.health_parts import overall, parts_of
from gateway.pipeline.observers import Observers
from gateway.pipeline.rendering import render_error
from gateway.pipeline.watchdog import StreamLimits
from gateway.pipeline.watched_answer import WatchedAnswer
from gateway.streams import EventSource, close_all
from gateway.tools import ServedTools
from gateway.types import ChatRequest, ModelDescription, Target

log = logging.getLogger("gateway")


class CoreGateway(Gateway):
    """The gateway itself; plugins see it as `gateway.context.Gateway`.

    `loaded_at` is when configuration and models were read; `last_error` is the mistake in the file
    since, if any, and `needs_restart` names its changes that need a restart.
    """

    def __init__(
        self,
        config: Config,
        plugins: PluginRegistry,
        models: ModelMap,
        tools: ServedTools | None = None,
        *,
        frontends: Frontends | None = None,
        offline: bool = False,
    ) -> None:
        self.plugins = plugins
        self.tools = tools if tools is not None else ServedTools()
        self.frontends = frontends if frontends is not None else Frontends()
        self.offline = offline
        self.until_login = False
        self.host = config.values.server.host
        self.urls: tuple[str, ...] = ()
        self.requires_keys = False
        self.traffic = Traffic()
        self.in_flight = CallsInFlight()
        self.saturation = Saturation()
        self.loop_watch = LoopWatch(noted=self.saturation.note)
        self.last_error: str | None = None
        self.needs_restart: tuple[str, ...] = ()
        self.reconfigure(config, models)

    def reconfigure(self, config: Config, models: ModelMap) -> None:
        """Use these from the next request on. Answers in progress are not affected."""
        self.config = config
        self.models = models
        self.loaded_at = datetime.now(UTC)
        limits = config.values.limits
        self._limits = StreamLimits(
            idle_seconds=limits.idle_seconds,
            request_seconds=limits.request_seconds,
            answer_bytes=limits.answer_bytes,
        )

    @property
    def draining(self) -> bool:
        """See `gateway.context.Gateway`."""
        return self.traffic.draining

    async def open(self, request: ChatRequest, ctx: RequestContext) -> WatchedAnswer:
        """See `gateway.context.Gateway`."""
        ctx.gateway = self
        try:
            asked = request
            filled, lowered = self._filled(asked, ctx)
            request = await self.plugins.hooks.transform_request(filled, ctx)
            if request.model != asked.model:
                request, lowered = self._filled(without_entry(request, asked, filled), ctx)
            ctx.adjust(lowered)
            reopened: list[EventSource] = []
            ctx.reopen = partial(self._reopen, request.model, ctx, reopened)
            place = self.in_flight.enter(ctx, self.config.values.limits.calls)
            try:
                layers = await self._open_layers(request, ctx)
            except BaseException:
                if place is not None:
                    place.leave()
                raise
        except BaseException as error:
            self._report_failure(request, ctx, error)
            raise
        source, *wrapped = layers
        reopened.extend(wrapped)  # the same list, so that what is opened later is closed as well
        observers = self.plugins.hooks.observe(request, ctx)
        if place is not None:
            observers.append(place)
        return WatchedAnswer(source, ctx, observers, self._limits, reopened)

    def _filled(
        self, request: ChatRequest, ctx: RequestContext
    ) -> tuple[ChatRequest, Mapping[str, object]]:
        """The request with its model entry's defaults and limits, and the fields that these lowered.

        Sets `ctx.target`.
        """
        found = self.find(request.model, partial(conversation_key, request), request, ctx)
        ctx.target = found.target
        return with_entry(request, found.entry)

    def resolve(self, name: str) -> Target:
        """See `gateway.context.Gateway`."""
        return self.find(name).target

    def find(
        self,
        name: str,
        conversation: Callable[[], str] = str,
        request: ChatRequest | None = None,
        ctx: RequestContext | None = None,
    ) -> Found:
        """The model that a name leads to, and how. Raises `ModelNotFound`."""
        alias = self.alias_by_code(name, request, ctx)
        return self.models.find(name if alias is None else alias, conversation)

    def describe(self, name: str) -> ModelDescription | None:
        """See `gateway.context.Gateway`."""
        reached = [self.models.find(model) for model in self.find(name).reach]
        return least_of([self._described(found) for found in reached])

    async def health(self) -> dict[str, Any]:
        """See `gateway.context.Gateway`."""
        parts = await parts_of(self.plugins, self)
        return parts | {
            "status": "draining" if self.traffic.draining else overall(parts),
            "version": __version__,
            "offline": self.offline,
            "loop": self.loop_watch.report() | self.saturation.report(),
            "config": {
                "loaded_at": self.loaded_at.isoformat(timespec="seconds"),
                "last_error": self.last_error,
                "needs_restart": list(self.needs_restart),
            },
        }

    def render_error(self, request: Request, error: GatewayError) -> Response:
        """See `gateway.context.Gateway`."""
        return render_error(self.plugins, self.frontends, request, error)

    def forget(self, caller: str) -> None:
        """See `Gateway.forget`."""
        self.plugins.hooks.caller_left(caller, self)

    def limits_itself(self, backend: str) -> None:
        """See `gateway.context.Gateway`."""
        self.in_flight.self_limiting.add(backend)

    def _described(self, found: Found) -> ModelDescription | None:
        described = self.plugins.hooks.describe_model(found.target)
        return None if described is None else within_limits(described, found.entry)

    def alias_by_code(
        self, name: str, request: ChatRequest | None = None, ctx: RequestContext | None = None
    ) -> str | None:
        """A plugin's alias: the name to look up instead."""
        return self.plugins.hooks.resolve_model(name, self.models, request, ctx)

    async def _reopen(
        self, model: str, ctx: RequestContext, opened: list[EventSource], request: ChatRequest
    ) -> EventSource:
        """See `RequestContext.reopen`; `model` is the one that was asked for so far."""
        if ctx.target is None or request.model != model:
            request, lowered = self._filled(request, ctx)
            ctx.adjust(lowered)
        source = self._open_source(request, ctx)
        opened.append(source)
        return source

    async def _open_layers(self, request: ChatRequest, ctx: RequestContext) -> list[EventSource]:
        """The backend's stream and its wrappers, outermost first."""
        layers = [self._open_source(request, ctx)]
        try:
            await self.plugins.hooks.wrap_stream(
                layers[0], request, ctx, lambda stream: layers.insert(0, stream)
            )
        except BaseException:
            await close_all(layers)
            raise
        return layers

    def _open_source(self, request: ChatRequest, ctx: RequestContext) -> EventSource:
        target = ctx.target
        assert target is not None  # noqa: S101 - the model was looked up
        source = self.plugins.hooks.open_stream(request, target, ctx)
        if source is None:
            raise BackendUnavailable(
                f"no plugin provides the backend {target.backend!r} of the model {target.model!r}"
            )
        return source

    def _report_failure(
        self, request: ChatRequest, ctx: RequestContext, error: BaseException
    ) -> None:
        outcome = Outcome(
            status="failed" if isinstance(error, Exception) else "cancelled",
            duration=time.perf_counter() - ctx.started,
            error=error,
        )
        Observers(self.plugins.hooks.observe(request, ctx)).tell("on_end", outcome)
