"""Putting a gateway together: plugins, configuration and models, then the ASGI application."""

import logging
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import __version__, health
from gateway.config import Config, find_file, load, packaged_file
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    as_server_fault,
)
from gateway.models import ModelEntry, ModelMap
from gateway.pipeline import Gateway
from gateway.plugins import PluginRegistry

log = logging.getLogger("gateway")


def build_gateway(
    config_file: Path | None = None,
    *,
    disabled: Sequence[str] = (),
    plugins: Sequence[tuple[str, object]] = (),
    offline: bool = False,
    overrides: dict[str, dict[str, object]] | None = None,
) -> Gateway:
    """Read the configuration and load every plugin.

    `plugins` are registered last, by name; `overrides` replaces keys of plugin sections.
    Raises `ConfigurationError`.
    """
    config = load(find_file(config_file, packaged_file()), packaged_file())
    registry = PluginRegistry({*disabled, *config.disabled_plugins})
    registry.register(health, "health", f"dragoman {__version__}")
    registry.load_entry_points()
    if config.path is not None:
        registry.load_files(config.path.parent / "plugins")
    for name, plugin in plugins:
        registry.register(plugin, name)
    registry.check_complete()
    for name, section in (overrides or {}).items():
        present = config.values.plugins.get(name)
        config.values.plugins[name] = {**(present if isinstance(present, dict) else {}), **section}
    _validate_sections(config, registry)
    return Gateway(config, registry, _model_map(config, registry), offline=offline)


def _validate_sections(config: Config, registry: PluginRegistry) -> None:
    claimed: dict[str, type[BaseModel]] = {}

    def register(name: str, model: type[BaseModel]) -> None:
        if name in claimed:
            raise ConfigurationError(f"the section {name!r} is claimed by two plugins")
        claimed[name] = model

    registry.call_register("gateway_register_config", register=register)
    config.validate_sections(claimed)


def _model_map(config: Config, registry: PluginRegistry) -> ModelMap:
    entries: dict[str, ModelEntry] = {}

    def register(name: str, entry: ModelEntry) -> None:
        entries[name] = entry

    if not config.names_models:
        registry.call_register("gateway_register_models", register=register)
    entries.update(config.values.models or {})
    models = ModelMap(entries, config.values.aliases)
    models.check_aliases(config.path)
    return models


def create_app(gateway: Gateway) -> FastAPI:
    """The ASGI application of a gateway: all plugins' routes, middleware and lifespans."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            for context in gateway.plugins.call_nested("gateway_lifespan", gateway=gateway):
                await stack.enter_async_context(context)
            yield

    app = FastAPI(title="Dragoman", version=__version__, lifespan=lifespan)
    app.state.gateway = gateway
    router = APIRouter()
    gateway.plugins.call_register("gateway_register_routes", router=router, gateway=gateway)
    app.include_router(router)

    async def on_error(request: Request, error: Exception) -> Response:
        return render_error(gateway, request, _as_gateway_error(request, error))

    for kind in (GatewayError, HTTPException, Exception):
        app.add_exception_handler(kind, on_error)
    for wrap in reversed(gateway.plugins.call_nested("gateway_asgi_wrapper", gateway=gateway)):
        app.add_middleware(wrap)
    app.add_middleware(RequestIdentity)
    return app


def render_error(gateway: Gateway, request: Request, error: GatewayError) -> Response:
    """An error in the form of the frontend that the path belongs to, with its headers."""
    rendered = gateway.plugins.call_first("gateway_render_error", error=error, request=request)
    response: Response = (
        rendered
        if isinstance(rendered, Response)
        else JSONResponse({"error": {"message": error.message}}, error.status)
    )
    if error.retry_after is not None:
        response.headers["retry-after"] = str(max(0, round(error.retry_after)))
    if error.should_retry is not None:
        response.headers["x-should-retry"] = "true" if error.should_retry else "false"
    return response


def _as_gateway_error(request: Request, error: Exception) -> GatewayError:
    if not isinstance(error, HTTPException):
        return as_server_fault(error)
    what = f"{request.method} {request.url.path}"
    match error.status_code:
        case 404:
            return NotFound(f"There is nothing at {what}.")
        case 405:
            return MethodNotAllowed(f"{what} is not allowed: the path takes other methods.")
        case _:
            return InvalidRequest(str(error.detail))


class RequestIdentity:
    """Gives each request an id, and each answer `x-request-id` and `openai-processing-ms`.

    The id is made here, never taken from the client, and stands in `scope["state"]`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = f"req_{uuid.uuid4().hex}"
        scope.setdefault("state", {}).update(request_id=request_id, started=started)

        async def send_identified(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers["openai-processing-ms"] = str(round((time.perf_counter() - started) * 1000))
            await send(message)

        await self._app(scope, receive, send_identified)
