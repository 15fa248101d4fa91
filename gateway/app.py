"""Putting a gateway together: plugins, configuration and models, then the ASGI application."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway import __version__, health
from gateway.api_pages import add_api_pages
from gateway.command_name import command_line
from gateway.config import Config
from gateway.config_file import configuration
from gateway.errors import GatewayError
from gateway.failures import render_failure
from gateway.identity import RequestIdentity
from gateway.logs import failures_of_the_loop
from gateway.near_paths import served_by
from gateway.pipeline import CoreGateway
from gateway.plugins import PluginRegistry
from gateway.published import published
from gateway.tools import ServedTools
from gateway.traffic import TrafficControl
from gateway.validation import check_disabled, validated

log = logging.getLogger("gateway")

__all__ = ["RequestIdentity", "build_gateway", "create_app"]


def build_gateway(
    config_file: Path | None = None,
    *,
    disabled: Sequence[str] = (),
    plugins: Sequence[tuple[str, object]] = (),
    offline: bool = False,
    overrides: dict[str, dict[str, object]] | None = None,
    from_folder: bool = False,
) -> CoreGateway:
    """Read the configuration and load every plugin.

    With `from_folder`, as `serve` has it, the current folder's `models.yaml` is taken up too, but
    neither the code beside it nor what needs trust. `plugins` are registered last, by name; `overrides` replaces keys of plugin sections.
    Raises `ConfigurationError`.
    """
    config = configuration(config_file, from_folder=from_folder)
    registry = PluginRegistry({*disabled, *config.disabled_plugins})
    registry.register(health, "health", f"dragoman {__version__}")
    registry.load_entry_points()
    _load_code_beside(config, registry)
    for name, plugin in plugins:
        registry.register(plugin, name)
    check_disabled(config, registry)
    registry.check_complete()
    config.override(overrides or {})
    models = validated(config, registry)
    tools = ServedTools()
    registry.call_register("gateway_register_tools", register=tools.add)
    return CoreGateway(config, registry, models, tools, offline=offline)


def _load_code_beside(config: Config, registry: PluginRegistry) -> None:
    """The single files in `plugins/`; a folder that was merely entered gets none of its run."""
    if config.path is None:
        return
    if config.trusted:
        registry.load_files(config.path.parent / "plugins")
    elif files := config.code_beside():
        log.warning(
            "not loading the code beside the %s of the current folder: %s; if you trust it: %s",
            config.path.name,
            ", ".join(_printable(path) for path in files.values()),
            command_line("serve", "--config", str(config.path)),
        )


def _printable(path: Path) -> str:
    """Whoever named a file may want a terminal to do something."""
    text = str(path)
    return text if text.isprintable() else ascii(text)


@asynccontextmanager
async def _running(gateway: CoreGateway) -> AsyncGenerator[None]:
    """While the application is up."""
    async with AsyncExitStack() as stack:
        stack.enter_context(failures_of_the_loop())
        await stack.enter_async_context(gateway.loop_watch.running())
        for context in gateway.plugins.call_nested("gateway_lifespan", gateway=gateway):
            await stack.enter_async_context(context)
        if gateway.urls:
            stack.enter_context(published(gateway))
        yield


def create_app(gateway: CoreGateway) -> FastAPI:
    """The ASGI application of a gateway: all plugins' routes, middleware and lifespans."""
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
    gateway.plugins.call_register("gateway_register_routes", router=router, gateway=gateway)
    app.include_router(router)
    app.state.served = served_by(router)

    async def on_error(request: Request, error: Exception) -> Response:
        return render_failure(gateway, request, error)

    for kind in (GatewayError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, on_error)
    for wrap in reversed(gateway.plugins.call_nested("gateway_asgi_wrapper", gateway=gateway)):
        app.add_middleware(wrap)
    app.add_middleware(TrafficControl, traffic=gateway.traffic, render=gateway.render_error)
    app.add_middleware(RequestIdentity, render=partial(render_failure, gateway))
    return app
