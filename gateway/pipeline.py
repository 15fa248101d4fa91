"""The way of a request: resolve the model, transform, open, wrap, observe."""

import inspect
from typing import cast

from gateway.config import Config
from gateway.context import RequestContext
from gateway.errors import BackendUnavailable, ModelNotFound
from gateway.models import ModelMap
from gateway.plugins import PluginRegistry
from gateway.streams import AnswerStream, EventSource, StreamLimits, close
from gateway.types import ChatRequest, Target


class Gateway:
    """One gateway: its configuration, its plugins and its models.

    `offline` asks backends to answer without a network and without any account, and to say
    so in their answers.
    """

    def __init__(
        self,
        config: Config,
        plugins: PluginRegistry,
        models: ModelMap,
        *,
        offline: bool = False,
    ) -> None:
        self.config = config
        self.plugins = plugins
        self.models = models
        self.offline = offline
        limits = config.values.limits
        self._limits = StreamLimits(
            idle_seconds=limits.idle_seconds, request_seconds=limits.request_seconds
        )

    async def open(self, request: ChatRequest, ctx: RequestContext) -> AnswerStream:
        """Start on an answer. The caller closes the stream that it gets.

        Raises `ModelNotFound`, and whatever transforms and backends raise, as `GatewayError`s.
        The backend itself begins with the stream's first event.
        """
        ctx.target = self.resolve(request.model)
        request = await self.plugins.fold("gateway_transform_request", request, "request", ctx=ctx)
        source = self._open_source(request, ctx.target, ctx)
        try:
            source = await self.plugins.fold(
                "gateway_wrap_stream", source, "stream", request=request, ctx=ctx
            )
        except BaseException:
            await close(source)
            raise
        observers = [
            observer
            for _, observer in self.plugins.collect("gateway_observe", request=request, ctx=ctx)
        ]
        return AnswerStream(source, ctx, observers, self._limits)

    def resolve(self, name: str) -> Target:
        """Where a model name leads, aliases decided by code included. Raises `ModelNotFound`."""
        alias = self.plugins.call_first("gateway_resolve_model", name=name, models=self.models)
        if alias is not None and not isinstance(alias, str):
            raise ModelNotFound(f"an alias plugin gave no name for {name!r}", param="model")
        return self.models.resolve(alias if alias is not None else name)

    def _open_source(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> EventSource:
        source = self.plugins.call_first(
            "gateway_open_stream", request=request, target=target, ctx=ctx
        )
        if source is None:
            raise BackendUnavailable(
                f"no plugin answers for the backend {target.backend!r} of the model {target.model!r}"
            )
        if inspect.iscoroutine(source):
            source.close()
        if not hasattr(source, "__anext__") or not hasattr(source, "aclose"):
            raise BackendUnavailable(f"the backend {target.backend!r} returned no stream")
        return cast(EventSource, source)
