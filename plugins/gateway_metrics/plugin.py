"""Metrics as a plugin: `GET /metrics` for Prometheus; off unless the configuration asks for it."""

from collections.abc import Callable
from functools import partial
from typing import Final

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response
from starlette.types import ASGIApp

from gateway import hookimpl
from gateway.context import RequestContext, StreamObserver
from gateway.interface import Gateway
from gateway.types import ChatRequest
from gateway.yaml_file.trust import vetted
from gateway_metrics.registry import HealthCollector, Metrics
from gateway_metrics.watching import AnswerObserver, CountRequests

SECTION: Final = "metrics"


@vetted
class MetricsConfig(BaseModel):
    """The section `metrics`: there is nothing to set, but that it is there."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricsPlugin:
    """Counts answers and requests. One object, with a registry of its own, for each gateway."""

    def __init__(self) -> None:
        self._metrics: Metrics | None = None

    @hookimpl
    def gateway_register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        """The section `metrics`."""
        register(SECTION, MetricsConfig)

    @hookimpl
    def gateway_register_routes(self, router: APIRouter, gateway: Gateway) -> None:
        """`GET /metrics`."""
        if not gateway.config.enabled(SECTION):
            return
        metrics = self._metrics = Metrics()
        backends = HealthCollector()
        metrics.registry.register(backends)

        @router.get("/metrics", response_class=Response)
        async def scrape() -> Response:
            backends.report = await gateway.health()
            return Response(
                generate_latest(metrics.registry), headers={"content-type": CONTENT_TYPE_LATEST}
            )

    @hookimpl(tryfirst=True)
    def gateway_asgi_wrapper(self) -> Callable[[ASGIApp], ASGIApp] | None:
        """Count requests, outside of middleware that may reject them."""
        if self._metrics is None:
            return None
        return partial(CountRequests, metrics=self._metrics)

    @hookimpl
    def gateway_observe(self, request: ChatRequest, ctx: RequestContext) -> StreamObserver | None:
        """Count an answer."""
        if self._metrics is None:
            return None
        return AnswerObserver(request.model, ctx, self._metrics)
