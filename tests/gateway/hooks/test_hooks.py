"""Every hook: when it is called, with what, and what becomes of its result."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.context import RequestContext, StreamObserver
from gateway.errors import ConfigurationError, GatewayError
from gateway.frontend import Frontend
from gateway.hooks import specs
from gateway.hooks.registry import PluginRegistry
from gateway.http.app import create_app
from gateway.models.model_map import ModelEntry, ModelMap
from gateway.pipeline.gateway import CoreGateway
from gateway.startup.reload import Reloader
from gateway.streams import EventSource, collect
from gateway.testing import SCRIPTED, ScriptedBackend, text_answer
from gateway.types import ChatRequest, ModelDescription, PartDelta, StreamEvent, Target, Text
from tests.gateway.core_support import Recorder, context, http, plugin, request_for

GatewayWith = Callable[..., CoreGateway]


class Settings(BaseModel):
    colour: str = "red"


async def answer_text(gateway: CoreGateway, model: str = "test-model") -> str:
    response = await collect(await gateway.open(request_for(model), context()))
    return "".join(part.text for part in response.parts if isinstance(part, Text))


def test_hook_register_config(gateway_with: GatewayWith) -> None:
    def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
        register("paint", Settings)

    gateway = gateway_with(
        plugin(gateway_register_config), config={"plugins": {"paint": {"colour": "blue"}}}
    )
    assert gateway.config.section("paint", Settings).colour == "blue"


def test_hook_register_models(gateway_with: GatewayWith) -> None:
    def gateway_register_models(register: Callable[[str, ModelEntry], None]) -> None:
        register("from-code", ModelEntry(backend=SCRIPTED, target="x"))

    gateway = gateway_with(
        plugin(gateway_register_models), config={"models": None, "aliases": {"a": "from-code"}}
    )
    assert gateway.resolve("a") == Target(model="from-code", backend=SCRIPTED, name="x")


async def test_hook_register_routes(gateway_with: GatewayWith) -> None:
    def gateway_register_routes(router: APIRouter, gateway: CoreGateway) -> None:
        @router.get("/hello")
        async def hello() -> dict[str, bool]:
            return {"offline": gateway.offline}

    async with http(gateway_with(plugin(gateway_register_routes))) as client:
        assert (await client.get("/hello")).json() == {"offline": False}


async def test_hook_register_frontends(gateway_with: GatewayWith) -> None:
    def gateway_register_frontends(register: Callable[[Frontend], None]) -> None:
        register(
            Frontend(
                name="plain",
                matches=lambda request: request.url.path.startswith("/plain/"),
                render_error=lambda error, _: PlainTextResponse(error.message, error.status),
                error_schema={"type": "string"},
            )
        )

    async with http(gateway_with(plugin(gateway_register_frontends))) as client:
        assert (await client.get("/plain/x")).text == "Unknown path: GET /plain/x."
        assert (await client.get("/other")).headers["content-type"] == "application/json"


def test_hook_register_commands() -> None:
    def gateway_register_commands(cli: click.Group) -> None:
        cli.add_command(click.Command("greet"))

    group = click.Group()
    registry = PluginRegistry()
    registry.register(plugin(gateway_register_commands), "greeter")
    registry.hooks.register_commands(group)
    assert "greet" in group.commands


def test_hook_register_tools(gateway_with: GatewayWith) -> None:
    def double(number: int) -> int:
        """Twice as much."""
        return 2 * number

    def gateway_register_tools(register: Callable[[Callable[..., Any]], None]) -> None:
        register(double)

    [tool] = gateway_with(plugin(gateway_register_tools)).tools
    assert (tool.name, tool.description) == ("double", "Twice as much.")


def test_hook_ready(gateway_with: GatewayWith) -> None:
    seen: list[object] = []

    def double(number: int) -> int:
        return 2 * number

    def gateway_register_tools(register: Callable[[Callable[..., Any]], None]) -> None:
        register(double)

    def gateway_register_routes() -> None:
        seen.append("routes")

    def gateway_ready(gateway: CoreGateway) -> None:
        seen.append((gateway.models.names, [tool.name for tool in gateway.tools]))

    gateway = gateway_with(
        plugin(gateway_register_routes, gateway_ready), plugin(gateway_register_tools)
    )
    assert seen == []  # also of commands that serve nothing
    create_app(gateway)
    assert seen == [(["test-model"], ["double"]), "routes"]


async def test_hook_ready_may_refuse_the_start(gateway_with: GatewayWith) -> None:
    def gateway_ready() -> None:
        raise ConfigurationError("the colour is missing")

    with pytest.raises(
        ConfigurationError, match=r"^the colour is missing \(plugin 'test_plugin_0'\)$"
    ):
        create_app(gateway_with(plugin(gateway_ready)))


def stamping(letter: str) -> object:
    """A plugin whose middleware notes in a header that it was passed on the way out."""

    class Stamp:
        def __init__(self, app: ASGIApp) -> None:
            self._app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def stamped(message: Any) -> None:
                message.setdefault("headers", []).append((b"x-passed", letter.encode()))
                await send(message)

            await self._app(scope, receive, stamped)

    def gateway_asgi_wrapper() -> Callable[[ASGIApp], ASGIApp]:
        return Stamp

    return plugin(gateway_asgi_wrapper)


async def test_hook_asgi_wrapper(gateway_with: GatewayWith) -> None:
    """The one registered last is called first, and is outermost."""
    async with http(gateway_with(stamping("a"), stamping("b"))) as client:
        answer = await client.get("/healthz")
    assert answer.headers.get_list("x-passed") == ["a", "b"]


def lifespan_noting(letter: str, notes: list[str]) -> object:
    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        notes.append(f"+{letter}")
        yield
        notes.append(f"-{letter}")

    def gateway_lifespan(gateway: CoreGateway) -> AbstractAsyncContextManager[None]:
        return opened()

    return plugin(gateway_lifespan)


async def test_hook_lifespan(gateway_with: GatewayWith) -> None:
    notes: list[str] = []
    app = create_app(gateway_with(lifespan_noting("a", notes), lifespan_noting("b", notes)))
    async with app.router.lifespan_context(app):
        notes.append("serving")
    assert notes == ["+b", "+a", "serving", "-a", "-b"]


async def test_hook_health(gateway_with: GatewayWith) -> None:
    async def gateway_health(gateway: CoreGateway) -> dict[str, object]:
        return {"status": "full", "waiting": 3}

    async with http(gateway_with(plugin(gateway_health))) as client:
        report = (await client.get("/health")).json()
    assert report["status"] == "degraded"
    assert report["test_plugin_0"] == {"status": "full", "waiting": 3}


async def test_hook_render_error(gateway_with: GatewayWith) -> None:
    def gateway_render_error(error: GatewayError, request: Request) -> Response | None:
        if not request.url.path.startswith("/mine"):
            return None
        return PlainTextResponse(f"mine: {error.code}", error.status)

    async with http(gateway_with(plugin(gateway_render_error))) as client:
        assert (await client.get("/mine/x")).text == "mine: unknown_url"
        assert "error" in (await client.get("/other")).json()


def test_hook_resolve_model(gateway_with: GatewayWith) -> None:
    def gateway_resolve_model(name: str, models: ModelMap) -> str | None:
        return next(iter(models.listed)) if name == "any" else None

    gateway = gateway_with(plugin(gateway_resolve_model))
    assert gateway.resolve("any").model == "test-model"
    assert gateway.resolve("test-model").name == "s1"


def test_hook_describe_model(gateway_with: GatewayWith) -> None:
    def gateway_describe_model(target: Target) -> ModelDescription | None:
        return ModelDescription(context_length=9) if target.name == "s1" else None

    gateway = gateway_with(plugin(gateway_describe_model))
    assert gateway.describe("test-model") == ModelDescription(context_length=9)


async def test_hook_transform_request(gateway_with: GatewayWith) -> None:
    def gateway_transform_request(request: ChatRequest, ctx: RequestContext) -> ChatRequest:
        assert ctx.target is not None
        return replace(request, system=f"You are {ctx.target.name}.")

    backend = ScriptedBackend()
    await answer_text(gateway_with(backend, plugin(gateway_transform_request)))
    assert backend.requests[0].system == "You are s1."


async def test_hook_open_stream(gateway_with: GatewayWith) -> None:
    async def play() -> AsyncGenerator[StreamEvent]:
        for event in text_answer("mine"):
            yield event

    def gateway_open_stream(target: Target) -> EventSource | None:
        return play() if target.backend == "mine" else None

    config = {"models": {"m": {"backend": "mine"}, "s": {"backend": SCRIPTED}}}
    gateway = gateway_with(ScriptedBackend(), plugin(gateway_open_stream), config=config)
    assert await answer_text(gateway, "m") == "mine"
    assert await answer_text(gateway, "s") == "Hello there"


async def test_hook_wrap_stream(gateway_with: GatewayWith) -> None:
    async def gateway_wrap_stream(stream: EventSource) -> AsyncGenerator[StreamEvent]:
        async for event in stream:
            yield replace(event, text=event.text.upper()) if isinstance(event, PartDelta) else event

    gateway = gateway_with(ScriptedBackend(), plugin(gateway_wrap_stream))
    assert await answer_text(gateway) == "HELLO THERE"


async def test_hook_observe(gateway_with: GatewayWith) -> None:
    recorder = Recorder()

    def gateway_observe(request: ChatRequest, ctx: RequestContext) -> StreamObserver:
        assert (request.model, ctx.request_id) == ("test-model", "req_1")
        return recorder

    await answer_text(gateway_with(ScriptedBackend(), plugin(gateway_observe)))
    assert recorder.events == text_answer("Hello", " there")
    assert recorder.outcome.status == "completed"


def test_every_hook_has_a_kind() -> None:
    named = {name for name in vars(specs) if name.startswith("gateway_")}
    assert named == set(specs.KINDS)


@pytest.mark.parametrize("hook", specs.KINDS)
def test_every_hook_is_documented_and_tested(hook: str) -> None:
    assert getattr(specs, hook).__doc__
    assert hook.replace("gateway_", "test_hook_", 1) in globals()


def test_hook_check_models(gateway_with: GatewayWith) -> None:
    def gateway_check_models(models: ModelMap) -> None:
        raise ConfigurationError(f"I don't like {next(iter(models.entries))!r}")

    with pytest.raises(ConfigurationError, match="I don't like 'test-model'"):
        gateway_with(plugin(gateway_check_models))


async def test_hook_caller_left(gateway_with: GatewayWith) -> None:
    left: list[str] = []

    def gateway_caller_left(caller: str) -> None:
        left.append(caller)

    def raises(caller: str) -> None:
        raise RuntimeError(caller)

    raises.__name__ = "gateway_caller_left"
    gateway_with(plugin(raises), plugin(gateway_caller_left)).forget("key laptop")
    assert left == ["key laptop"]


@pytest.mark.parametrize(("taken", "later"), [(("paint",), ()), ((), ("plugins.paint",))])
async def test_hook_reconfigured(
    taken: tuple[str, ...], later: tuple[str, ...], gateway_with: GatewayWith, tmp_path: Path
) -> None:
    seen: list[str] = []

    def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
        register("paint", Settings)

    def gateway_reconfigured(gateway: CoreGateway) -> tuple[str, ...]:
        seen.append(gateway.config.section("paint", Settings).colour)
        return taken

    gateway = gateway_with(plugin(gateway_register_config, gateway_reconfigured))
    with (tmp_path / "models.yaml").open("a") as file:
        file.write("plugins: {paint: {colour: blue}}\n")
    await Reloader(gateway, tmp_path / "models.yaml").look()
    assert seen == ["blue"]
    assert gateway.needs_restart == later
    assert gateway.config.section("paint", Settings).colour == ("blue" if taken else "red")
