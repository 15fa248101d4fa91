"""The specifications of all hooks. A plugin implements any of them, marked with `gateway.hookimpl`.

How a hook is called is its kind, given in `KINDS`:

- *register*: all are called at the start; one that raises stops it. Those about configuration
  and models are called again when the YAML has changed; one that raises keeps the old state.
- *first*: called until one returns something other than None; raising fails the request.
- *fold*: each gets the result of the one before; None keeps it; raising fails the request.
- *nested*: all are called; the one called first ends up outermost.
- *notify*: all are called; one that raises is logged and left out.

Plugins registered later are called earlier, so that a user's plugin comes before a built-in;
`hookimpl(tryfirst=True)` and `hookimpl(trylast=True)` refine that.
"""

from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gateway.markers import hookspec

if TYPE_CHECKING:
    import click
    from fastapi import APIRouter
    from pydantic import BaseModel
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from gateway.config.settings import Config
    from gateway.context import RequestContext, StreamObserver
    from gateway.errors import GatewayError
    from gateway.frontend import Frontend
    from gateway.interface import Gateway
    from gateway.models.model_map import ModelEntry, ModelMap
    from gateway.streams import EventSource
    from gateway.tools import ServedTool
    from gateway.types import ChatRequest, ModelDescription, Target

HookKind: TypeAlias = Literal["register", "first", "fold", "nested", "notify"]

KINDS: dict[str, HookKind] = {
    "gateway_register_config": "register",
    "gateway_register_models": "register",
    "gateway_check_models": "register",
    "gateway_register_routes": "register",
    "gateway_register_frontends": "register",
    "gateway_register_commands": "register",
    "gateway_register_tools": "register",
    "gateway_ready": "register",
    "gateway_asgi_wrapper": "nested",
    "gateway_lifespan": "nested",
    "gateway_health": "notify",
    "gateway_reconfigured": "notify",
    "gateway_caller_left": "notify",
    "gateway_render_error": "first",
    "gateway_resolve_model": "first",
    "gateway_describe_model": "first",
    "gateway_transform_request": "fold",
    "gateway_open_stream": "first",
    "gateway_wrap_stream": "fold",
    "gateway_observe": "notify",
}


@hookspec
def gateway_register_config(register: "Callable[[str, type[BaseModel]], None]") -> None:
    """Claim a section of `plugins:` in the YAML: `register("request_log", RequestLogConfig)`.

    The section is validated before anything starts, with `extra="forbid"` whatever the model
    says; the result is `gateway.config.section("request_log", RequestLogConfig)`.

    A file that `serve` merely found in the current folder may set only keys of models that mark,
    with `gateway.interface.NeedsTrust`, those that do more than serve answers.
    """


@hookspec
def gateway_register_models(register: "Callable[[str, ModelEntry], None]") -> None:
    """Offer models from code: `register("my-model", ModelEntry(backend="echo"))`.

    Of two plugins that offer the same name, the one called first wins; an entry of that name in
    the YAML wins over both. A YAML that names its own models offers only
    those, and then this hook is not called.
    """


@hookspec
def gateway_check_models(models: "ModelMap", config: "Config") -> None:
    """Check the model map before it holds; to reject it, raise `ConfigurationError`.

    For backends that check the `options` of their own models: `config.explain(error, location,
    model)` makes a `ConfigurationError` with its line of pydantic's, `config.error` of a text.
    """


@hookspec
def gateway_register_routes(router: "APIRouter", gateway: "Gateway") -> None:
    """Add HTTP routes. Those of a frontend return `gateway.frontend.answer(...)`."""


@hookspec
def gateway_register_frontends(register: "Callable[[Frontend], None]") -> None:
    """Register a wire format: `register(Frontend(name="mine", matches=..., ...))`.

    It gives errors and the list of models their form for each request that it `matches`; the
    frontend that is registered first is asked first.
    """


@hookspec
def gateway_register_commands(cli: "click.Group") -> None:
    """Add subcommands to `dragoman`, with `cli.command()`. Called before the YAML is read."""


@hookspec
def gateway_register_tools(register: "Callable[[Callable[..., Any] | ServedTool], None]") -> None:
    """Offer a tool that the gateway runs itself: `register(clock)`.

    A function's name, docstring and type hints become the tool's; it may be `async`. Which
    models get it is said in the YAML (`plugins.tools.offer`).
    """


@hookspec
def gateway_ready(gateway: "Gateway") -> None:
    """Check what the gateway is about to serve; to refuse the start, raise `ConfigurationError`.

    Called once, before routes and middleware are made: all plugins, the configuration, the models
    and the tools are there. Not called for commands that serve nothing, such as `dragoman models`.
    """


@hookspec
def gateway_asgi_wrapper(gateway: "Gateway") -> "Callable[[ASGIApp], ASGIApp] | None":
    """Return ASGI middleware. The one called first ends up outermost."""


@hookspec
def gateway_lifespan(gateway: "Gateway") -> "AbstractAsyncContextManager[None] | None":
    """Return a context that is open while the gateway serves. Exits run in reverse."""


@hookspec
def gateway_health(gateway: "Gateway") -> "Awaitable[dict[str, Any]] | dict[str, Any] | None":
    """Report on a part of the gateway for `GET /health`: a JSON object.

    A key `status` other than "ok" makes the whole "degraded". Must answer quickly: do slow
    checks in the background.
    """


@hookspec
def gateway_reconfigured(gateway: "Gateway") -> "Collection[str] | None":
    """Apply a changed YAML; `gateway.config` and `gateway.models` are the new ones already.

    Return the sections whose new settings hold from now on. A changed section that no plugin
    returns needs a restart: the log says so, and `gateway.config.section` gives the old one again.
    """


@hookspec
def gateway_caller_left(caller: str, gateway: "Gateway") -> None:
    """Forget a caller (`Client.caller`) that will not come back, such as one whose key was revoked.

    Another caller may come by the same name; whatever is kept for this one is not theirs.
    """


@hookspec(firstresult=True)
def gateway_render_error(error: "GatewayError", request: "Request") -> "Response | None":
    """Give an error another form than the frontend's to which the request belongs.

    Also called for unknown paths; there the first result counts.
    """


@hookspec(firstresult=True)
def gateway_resolve_model(
    name: str,
    models: "ModelMap",
    request: "ChatRequest | None",
    ctx: "RequestContext | None",
) -> str | None:
    """Decide on an alias by code: return the name to look up in the model map instead.

    `request` and `ctx` are those of the request that asks for it, before any change; both are None
    where a name is only looked up, as for `GET /v1/models/NAME` and `dragoman models resolve`.
    """


@hookspec(firstresult=True)
def gateway_describe_model(target: "Target") -> "ModelDescription | None":
    """Describe a model, if `target.backend` is yours: its limits, its inputs, its parameters.

    Also called when nothing is served, for `dragoman models`. Must answer at once, without asking
    anything. Fields that are unknown stay None; lists of models leave them out.
    """


@hookspec
def gateway_transform_request(
    request: "ChatRequest", ctx: "RequestContext"
) -> "ChatRequest | Awaitable[ChatRequest | None] | None":
    """Change anything of a request: return a new one, or None to leave it.

    Another `model` is looked up again, and gets the defaults, limits and system text of its entry
    in place of those of the first one.
    """


@hookspec(firstresult=True)
def gateway_open_stream(
    request: "ChatRequest", target: "Target", ctx: "RequestContext"
) -> "EventSource | None":
    """Answer the request, if `target.backend` is yours: return the stream of its events.

    Nothing may happen yet when this is called: work begins with the first `__anext__`, so
    usually this calls an async generator. The stream is closed in every case.
    """


@hookspec
def gateway_wrap_stream(
    stream: "EventSource", request: "ChatRequest", ctx: "RequestContext"
) -> "EventSource | None":
    """Change the events of an answer: return a stream that reads `stream`, or None.

    A wrapper that reads `stream` only in part should close it; the core closes it in any case.
    `ctx.reopen` asks another model instead; the plugin that opens that stream closes it.
    """


@hookspec
def gateway_observe(request: "ChatRequest", ctx: "RequestContext") -> "StreamObserver | None":
    """Return an observer for this request's answer, as a request log or metrics need one.

    Also called for a request that fails before there is a stream; then only `on_end` follows,
    and `ctx.target` is None if no model was found.
    """
