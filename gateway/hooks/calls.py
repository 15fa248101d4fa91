"""A typed method for each hook, for the core to call; it also checks the plugins' results.

No other module calls hooks by their names.
"""

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeAlias

import click
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from gateway.config.settings import Config
from gateway.context import Gateway, RequestContext, StreamObserver
from gateway.errors import BackendUnavailable, GatewayError
from gateway.frontend.registration import Frontend
from gateway.hooks.dispatch import Dispatcher, Expected, WrongResult
from gateway.models.model_map import MAX_NAME_SHOWN, ModelEntry, ModelMap
from gateway.streams import EventSource
from gateway.tools import ServedTool
from gateway.types import ChatRequest, ModelDescription, Target

RegisterModel: TypeAlias = Callable[[str, ModelEntry], None]
Middleware: TypeAlias = Callable[[ASGIApp], ASGIApp]


def _has(*methods: str) -> Callable[[object], bool]:
    return lambda result: all(hasattr(result, method) for method in methods)


def _is(kind: type) -> Callable[[object], bool]:
    return lambda result: isinstance(result, kind)


ANYTHING: Final = Expected("", lambda _: True)
"""For results that are checked later."""
CONTEXT: Final = Expected("an async context manager", _has("__aenter__", "__aexit__"))
DESCRIPTION: Final = Expected("a ModelDescription", _is(ModelDescription))
MIDDLEWARE: Final = Expected("a function that takes an application", callable)
NAME: Final = Expected("the name of a model", _is(str))
OBSERVER: Final = Expected("an observer with an `on_end`", _has("on_end"))
REQUEST: Final = Expected("ChatRequest", _is(ChatRequest))
RESPONSE: Final = Expected("a Response", _is(Response))
NOTHING: Final = Expected("nothing", lambda result: result is None)
SECTIONS: Final = Expected(
    "a collection of names",
    lambda result: isinstance(result, Collection) and not isinstance(result, str),
)
STREAM: Final = Expected("a stream", _has("__anext__", "aclose"))

FIRST_RESULTS: Final[Mapping[str, Expected]] = {
    "gateway_render_error": RESPONSE,
    "gateway_resolve_model": NAME,
    "gateway_describe_model": DESCRIPTION,
    "gateway_open_stream": STREAM,
}
"""The results of the *first* hooks."""


class HookCalls:
    """The hooks of one gateway's plugins.

    Those about the start raise `ConfigurationError`s that name the plugin. Those of a request raise
    `GatewayError`s: a plugin's own, or a `ServerFault` for whatever else it raises, and for a
    result of the wrong type. Failures of *notify* hooks are logged.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._call = dispatcher

    # -- the start --------------------------------------------------------------------

    def register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        """Have each plugin claim its section of the YAML."""
        self._call.register("gateway_register_config", register=register)

    def register_models(self, register_for: Callable[[str], RegisterModel]) -> None:
        """Have each plugin offer models; `register_for` makes `register` for the plugin it names."""
        self._call.register_each(
            "gateway_register_models", lambda plugin: {"register": register_for(plugin)}
        )

    def check_models(self, models: ModelMap, config: Config) -> None:
        """Have a model map checked before it holds."""
        self._call.register("gateway_check_models", models=models, config=config)

    def register_routes(self, router: APIRouter, gateway: Gateway) -> None:
        """Have HTTP routes added."""
        self._call.register("gateway_register_routes", router=router, gateway=gateway)

    def register_commands(self, cli: click.Group) -> None:
        """Have subcommands added."""
        self._call.register("gateway_register_commands", cli=cli)

    def register_tools(self, register: Callable[[Callable[..., Any] | ServedTool], None]) -> None:
        """Have tools offered."""
        self._call.register("gateway_register_tools", register=register)

    def register_frontends(self, register: Callable[[Frontend], None]) -> None:
        """Have wire formats registered."""
        self._call.register("gateway_register_frontends", register=register)

    def ready(self, gateway: Gateway) -> None:
        """Tell the plugins that the gateway is complete. Raises `ConfigurationError`."""
        self._call.register("gateway_ready", gateway=gateway)

    def asgi_wrappers(self, gateway: Gateway) -> list[Middleware]:
        """The middleware, outermost first."""
        return self._call.nested("gateway_asgi_wrapper", MIDDLEWARE, gateway=gateway)

    def lifespans(self, gateway: Gateway) -> list[AbstractAsyncContextManager[None]]:
        """The contexts that are open while the gateway serves, outermost first."""
        return self._call.nested("gateway_lifespan", CONTEXT, gateway=gateway)

    # -- while it serves --------------------------------------------------------------

    def health(self, gateway: Gateway) -> Iterator[tuple[str, Awaitable[dict[str, Any]]]]:
        """Each plugin's part of `GET /health` by its name; awaiting one may raise anything."""
        found = self._call.notify("gateway_health", ANYTHING, gateway=gateway)
        return ((name, _health_part(result)) for name, result in found)

    def reconfigured(self, gateway: Gateway) -> set[str]:
        """Tell the plugins about a changed YAML. Returns the sections that hold from now on."""
        found = self._call.notify("gateway_reconfigured", SECTIONS, gateway=gateway)
        return {section for _, sections in found for section in sections}

    def caller_left(self, caller: str, gateway: Gateway) -> None:
        """Tell the plugins that a caller will not come back."""
        for _ in self._call.notify("gateway_caller_left", NOTHING, caller=caller, gateway=gateway):
            pass

    def render_error(self, error: GatewayError, request: Request) -> Response | None:
        """An error in the form of the path's frontend, if there is one."""
        rendered: Response | None = self._call.first(
            "gateway_render_error", RESPONSE, error=error, request=request
        )
        return rendered

    # -- a request --------------------------------------------------------------------

    def resolve_model(
        self,
        name: str,
        models: ModelMap,
        request: ChatRequest | None,
        ctx: RequestContext | None,
    ) -> str | None:
        """The name to look up instead."""
        alias: str | None = self._call.first(
            "gateway_resolve_model",
            NAME,
            _model(name),
            name=name,
            models=models,
            request=request,
            ctx=ctx,
        )
        return alias

    def describe_model(self, target: Target) -> ModelDescription | None:
        """A backend's description of its model."""
        described: ModelDescription | None = self._call.first(
            "gateway_describe_model", DESCRIPTION, _model(target.model), target=target
        )
        return described

    async def transform_request(self, request: ChatRequest, ctx: RequestContext) -> ChatRequest:
        """The request as the plugins want it."""
        return await self._call.fold(
            "gateway_transform_request", request, "request", REQUEST, ctx=ctx
        )

    def open_stream(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> EventSource | None:
        """A backend's answer. Raises `BackendUnavailable` for something else than a stream."""
        about = _model(target.model)
        try:
            source: EventSource | None = self._call.first(
                "gateway_open_stream", STREAM, about, request=request, target=target, ctx=ctx
            )
        except WrongResult as error:
            raise BackendUnavailable(
                f"the backend {target.backend!r} did not return a stream: {error.message}"
            ) from error
        return source

    async def wrap_stream(
        self,
        stream: EventSource,
        request: ChatRequest,
        ctx: RequestContext,
        wrapped: Callable[[EventSource], None],
    ) -> None:
        """Have a stream wrapped. `wrapped` gets each layer, from the inside out, as it is made."""
        await self._call.fold(
            "gateway_wrap_stream", stream, "stream", STREAM, wrapped, request=request, ctx=ctx
        )

    def observe(self, request: ChatRequest, ctx: RequestContext) -> list[StreamObserver]:
        """The observers of one answer."""
        found = self._call.notify("gateway_observe", OBSERVER, request=request, ctx=ctx)
        return [observer for _, observer in found]


def _model(name: str) -> str:
    return f"the model {name[:MAX_NAME_SHOWN]!r}"


async def _health_part(result: object) -> dict[str, Any]:
    """Raises `TypeError` for a part that is not an object, and the plugin's own exceptions."""
    if inspect.isawaitable(result):
        result = await result
    if not isinstance(result, dict):
        raise TypeError(f"returned {type(result).__name__}, not a dict")
    return result
