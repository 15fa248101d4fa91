"""Putting a gateway together: plugins, configuration and models, then the ASGI application."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway import __version__, health
from gateway.config import Config, find_file, load, packaged_file
from gateway.errors import ConfigurationError, GatewayError
from gateway.failures import render_error, render_failure
from gateway.identity import RequestIdentity
from gateway.logs import failures_of_the_loop
from gateway.models import ModelEntry, ModelMap
from gateway.pipeline import Gateway
from gateway.plugins import PluginRegistry
from gateway.tools import ServedTools
from gateway.traffic import TrafficControl

__all__ = ["RequestIdentity", "build_gateway", "create_app", "render_error"]


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
    _check_disabled(config, registry)
    registry.check_complete()
    for name, section in (overrides or {}).items():
        present = config.values.plugins.get(name)
        config.values.plugins[name] = {**(present if isinstance(present, dict) else {}), **section}
    _validate_sections(config, registry)
    tools = ServedTools()
    registry.call_register("gateway_register_tools", register=tools.add)
    models = _model_map(config, registry)
    return Gateway(config, registry, models, tools, offline=offline)


def _check_disabled(config: Config, registry: PluginRegistry) -> None:
    for name in sorted(config.disabled_plugins & registry.unknown):
        raise config.error(("plugins", name), f"no plugin is named {name!r}", name, registry.names)


def _validate_sections(config: Config, registry: PluginRegistry) -> None:
    claimed: dict[str, type[BaseModel]] = {}

    def register(name: str, model: type[BaseModel]) -> None:
        if name in claimed:
            raise ConfigurationError(f"the section {name!r} is claimed by two plugins")
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"the section {name!r} needs a pydantic model, not {model!r}")
        claimed[name] = model

    registry.call_register("gateway_register_config", register=register)
    config.validate_sections(claimed, registry.disabled)


def _model_map(config: Config, registry: PluginRegistry) -> ModelMap:
    entries: dict[str, ModelEntry] = {}

    def register(name: str, entry: ModelEntry) -> None:
        if not isinstance(entry, ModelEntry):
            raise TypeError(f"the model {name!r} needs a ModelEntry, not {entry!r}")
        entries.setdefault(name, entry)

    if not config.names_models:
        registry.call_register("gateway_register_models", register=register)
    values = config.values
    for section, names in (("models", values.models or {}), ("aliases", values.aliases)):
        for name in names:
            if name.count("*") > 1:
                raise config.error((section, name), f"more than one * in {name!r}")
    models = ModelMap({**entries, **(values.models or {})}, values.aliases)
    for alias, name in models.lost_aliases():
        what = f"the alias {alias!r} leads to {name!r}, which is no model"
        raise config.error(("aliases", alias), what, name, models.names)
    return models


def create_app(gateway: Gateway) -> FastAPI:
    """The ASGI application of a gateway: all plugins' routes, middleware and lifespans."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            stack.enter_context(failures_of_the_loop())
            for context in gateway.plugins.call_nested("gateway_lifespan", gateway=gateway):
                await stack.enter_async_context(context)
            yield

    app = FastAPI(title="Dragoman", version=__version__, lifespan=lifespan)
    app.state.gateway = gateway
    router = APIRouter()
    gateway.plugins.call_register("gateway_register_routes", router=router, gateway=gateway)
    app.include_router(router)

    async def on_error(request: Request, error: Exception) -> Response:
        return render_failure(gateway, request, error)

    for kind in (GatewayError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, on_error)
    for wrap in reversed(gateway.plugins.call_nested("gateway_asgi_wrapper", gateway=gateway)):
        app.add_middleware(wrap)
    app.add_middleware(
        TrafficControl, traffic=gateway.traffic, render=partial(render_error, gateway)
    )
    app.add_middleware(RequestIdentity, render=partial(render_failure, gateway))
    return app
