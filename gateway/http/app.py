"""The ASGI application of a gateway: all plugins' routes, middleware and lifespans."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway import __version__
from gateway.client.published import published
from gateway.errors import GatewayError
from gateway.http.api_pages import add_api_pages
from gateway.http.direct_routes import DirectRoutes, direct_routes
from gateway.http.failures import render_failure
from gateway.http.model_routes import add_model_routes
from gateway.http.request_identity import RequestIdentity
from gateway.http.suggest_path import documented_paths
from gateway.load.traffic import TrafficControl
from gateway.logs import failures_of_the_loop
from gateway.pipeline.gateway import CoreGateway


@asynccontextmanager
async def _running(gateway: CoreGateway) -> AsyncGenerator[None]:
    """While the application is up."""
    async with AsyncExitStack() as stack:
        stack.enter_context(failures_of_the_loop())
        await stack.enter_async_context(gateway.loop_watch.running())
        for context in gateway.plugins.hooks.lifespans(gateway):
            await stack.enter_async_context(context)
        if gateway.urls:
            stack.enter_context(published(gateway))
        yield


def create_app(gateway: CoreGateway) -> FastAPI:
    """The ASGI application of a gateway: all plugins' routes, middleware and lifespans.

    Raises `ConfigurationError`, also for what a plugin rejects in `gateway_ready`.
    """
    gateway.plugins.hooks.ready(gateway)
    app = FastAPI(
        title="Dragoman",
        version=__version__,
        lifespan=lambda _: _running(gateway),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    add_api_pages(app)
    app.state.gateway = gateway
    router = APIRouter()
    gateway.plugins.hooks.register_routes(router, gateway)
    add_model_routes(router, gateway, gateway.frontends)
    app.include_router(router)
    app.state.served = documented_paths(router)

    async def on_error(request: Request, error: Exception) -> Response:
        return render_failure(gateway, request, error)

    for kind in (GatewayError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, on_error)
    app.add_middleware(
        DirectRoutes, table=direct_routes(router.routes), render=partial(render_failure, gateway)
    )
    for wrap in reversed(gateway.plugins.hooks.asgi_wrappers(gateway)):
        app.add_middleware(wrap)
    app.add_middleware(TrafficControl, traffic=gateway.traffic, render=gateway.render_error)
    app.add_middleware(RequestIdentity, render=partial(render_failure, gateway))
    return app
