"""The way of a request through the gateway, and what is told and closed when it fails."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from gateway.context import RequestContext
from gateway.errors import BackendUnavailable, InvalidRequest, ModelNotFound, ServerFault
from gateway.pipeline.gateway import CoreGateway
from gateway.streams import EventSource, collect
from gateway.testing import SCRIPTED, ScriptedBackend, build, text_answer
from gateway.types import ChatRequest, ResponseEnd, ResponseStart, Sampling, StreamEvent, Text
from tests.gateway.core_support import Recorder, context, plugin, request_for

GatewayWith = Callable[..., CoreGateway]


class Layer:
    """A stream that counts how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __aiter__(self) -> "Layer":
        return self

    async def __anext__(self) -> StreamEvent:
        return ResponseEnd(stop_reason="end")

    async def aclose(self) -> None:
        self.closed += 1


def backend(answer: object) -> object:
    def gateway_open_stream() -> object:
        return answer

    return plugin(gateway_open_stream)


def wrapper(layer: Layer) -> object:
    def gateway_wrap_stream() -> Layer:
        return layer

    return plugin(gateway_wrap_stream)


def refusing(hook: str) -> object:
    def refuse() -> None:
        raise InvalidRequest("no")

    refuse.__name__ = hook
    return plugin(refuse)


async def test_the_context_knows_the_target(gateway_with: GatewayWith) -> None:
    ctx = context()
    async with await gateway_with(ScriptedBackend()).open(request_for(), ctx):
        assert ctx.target is not None
        assert ctx.target.name == "s1"


def changing_model(name: str) -> object:
    """A transform that has another model answer."""

    def gateway_transform_request(request: ChatRequest) -> ChatRequest:
        return replace(request, model=name)

    return plugin(gateway_transform_request)


TWO_MODELS = {
    "models": {
        "test-model": {
            "backend": "scripted",
            "target": "s1",
            "system": "First.",
            "limits": {"max_output_tokens": 5},
        },
        "other": {
            "backend": "scripted",
            "target": "s2",
            "system": "Second.",
            "limits": {"max_output_tokens": 8},
        },
    }
}


async def test_a_transform_may_have_another_model_answer(tmp_path: Path) -> None:
    """With the defaults and limits of that one, and of that one alone."""
    scripted = ScriptedBackend()
    gateway = build(tmp_path, scripted, changing_model("other"), config=TWO_MODELS)
    asked = replace(request_for(), sampling=Sampling(max_output_tokens=9))
    ctx = context()
    async with await gateway.open(asked, ctx):
        assert ctx.target == scripted.targets[0]
        assert (scripted.targets[0].model, scripted.targets[0].name) == ("other", "s2")
    [request] = scripted.requests
    assert (request.system, request.sampling.max_output_tokens) == ("Second.", 8)
    assert ctx.adjusted == {"max_tokens": 8}


async def test_a_transform_to_an_unknown_model_is_a_404(gateway_with: GatewayWith) -> None:
    with pytest.raises(ModelNotFound, match="'elsewhere'"):
        await gateway_with(ScriptedBackend(), changing_model("elsewhere")).open(
            request_for(), context()
        )


async def test_an_alias_by_code_may_depend_on_the_request(gateway_with: GatewayWith) -> None:
    def gateway_resolve_model(
        name: str, request: ChatRequest | None, ctx: RequestContext | None
    ) -> str | None:
        if name != "any" or request is None or ctx is None:
            return None
        return "test-model" if request.tools == () else None

    gateway = gateway_with(ScriptedBackend(), plugin(gateway_resolve_model))
    async with await gateway.open(replace(request_for(), model="any"), context()):
        pass
    with pytest.raises(ModelNotFound):
        gateway.resolve("any")


async def test_a_model_whose_backend_nobody_is(gateway_with: GatewayWith) -> None:
    with pytest.raises(BackendUnavailable, match="'scripted' of the model 'test-model'"):
        await gateway_with().open(request_for(), context())


async def coroutine() -> None: ...


@pytest.mark.parametrize("answer", [3, coroutine()], ids=["a number", "a coroutine"])
async def test_a_backend_that_returns_no_stream(answer: object, gateway_with: GatewayWith) -> None:
    with pytest.raises(BackendUnavailable, match="the backend 'scripted' did not return a stream"):
        await gateway_with(backend(answer)).open(request_for(), context())


async def test_every_layer_is_closed(gateway_with: GatewayWith) -> None:
    layers = [Layer(), Layer(), Layer()]
    gateway = gateway_with(backend(layers[0]), wrapper(layers[1]), wrapper(layers[2]))
    await (await gateway.open(request_for(), context())).aclose()
    assert [layer.closed for layer in layers] == [1, 1, 1]


async def test_a_wrapper_that_fails_closes_what_is_open(gateway_with: GatewayWith) -> None:
    inner, outer = Layer(), Layer()
    gateway = gateway_with(refusing("gateway_wrap_stream"), wrapper(outer), backend(inner))
    with pytest.raises(InvalidRequest):
        await gateway.open(request_for(), context())
    assert (inner.closed, outer.closed) == (1, 1)


async def test_a_wrapper_that_keeps_the_stream(gateway_with: GatewayWith) -> None:
    def gateway_wrap_stream(stream: EventSource) -> EventSource | None:
        return None

    layer = Layer()
    gateway = gateway_with(backend(layer), plugin(gateway_wrap_stream))
    await (await gateway.open(request_for(), context())).aclose()
    assert layer.closed == 1


@pytest.mark.parametrize(
    ("model", "hook", "error"),
    [
        ("unknown", None, ModelNotFound),
        ("test-model", "gateway_transform_request", InvalidRequest),
        ("test-model", "gateway_open_stream", InvalidRequest),
        ("test-model", "gateway_wrap_stream", InvalidRequest),
        ("test-model", "gateway_resolve_model", InvalidRequest),
    ],
)
async def test_observers_are_told_of_requests_that_fail_early(
    model: str, hook: str | None, error: type[Exception], gateway_with: GatewayWith
) -> None:
    recorder = Recorder()
    plugins = [refusing(hook)] if hook else []
    gateway = gateway_with(ScriptedBackend(), recorder.plugin(), *plugins)
    with pytest.raises(error) as raised:
        await gateway.open(request_for(model), context())
    assert (recorder.outcome.status, recorder.outcome.error) == ("failed", raised.value)
    assert recorder.events == []


async def test_observers_are_told_of_requests_cancelled_early(gateway_with: GatewayWith) -> None:
    async def gateway_transform_request() -> None:
        await anyio.sleep_forever()

    recorder = Recorder()
    gateway = gateway_with(recorder.plugin(), plugin(gateway_transform_request))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await gateway.open(request_for(), context())
    assert recorder.outcome.status == "cancelled"


async def test_an_observer_that_fails_does_not_hide_the_failure(
    gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Recorder):
        def on_end(self, outcome: object) -> None:
            raise KeyError("x")

    with pytest.raises(ServerFault):
        await gateway_with(Failing().plugin()).open(request_for(), context())
    assert "an observer failed in on_end" in caplog.text


async def test_limits_are_those_of_the_configuration(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(ScriptedBackend(), config={"limits": {"idle_seconds": 7}})
    stream = await gateway.open(request_for(), context())
    assert stream._watchdog._limits.idle_seconds == 7
    await stream.aclose()


def test_ignored_fields_are_noted_once() -> None:
    ctx = context()
    ctx.ignore(["seed", "user", "seed"])
    ctx.ignore(["user", "logprobs"])
    assert ctx.ignored == ["seed", "user", "logprobs"]


async def test_a_backend_can_be_asked_again_within_an_answer(gateway_with: GatewayWith) -> None:
    """With another request, for another model; nothing wraps what comes, and it is closed."""
    config = {"models": {"test-model": {"backend": SCRIPTED}, "other": {"backend": SCRIPTED}}}

    async def twice(stream: EventSource, ctx: RequestContext) -> AsyncGenerator[StreamEvent]:
        first = await collect(stream)
        assert ctx.reopen is not None
        again = await ctx.reopen(replace(request_for("other"), system="Again"))
        async for event in again:
            yield event
        assert first.parts == (Text(text="one"),)

    def gateway_wrap_stream(stream: EventSource, ctx: RequestContext) -> EventSource:
        return twice(stream, ctx)

    scripted = ScriptedBackend(text_answer("one"), text_answer("two"))
    gateway = gateway_with(scripted, plugin(gateway_wrap_stream), config=config)
    ctx = context()
    response = await collect(await gateway.open(request_for(), ctx))
    assert response.parts == (Text(text="two"),)
    assert [target.model for target in scripted.targets] == ["test-model", "other"]
    assert scripted.requests[1].system == "Again"
    assert ctx.target == scripted.targets[1]
    assert scripted.closed == 2


async def test_what_was_opened_again_and_left_is_closed(gateway_with: GatewayWith) -> None:
    async def leaving(stream: EventSource, ctx: RequestContext) -> AsyncGenerator[StreamEvent]:
        await collect(stream)
        assert ctx.reopen is not None
        again = await ctx.reopen(request_for())
        yield await anext(again)

    def gateway_wrap_stream(stream: EventSource, ctx: RequestContext) -> EventSource:
        return leaving(stream, ctx)

    scripted = ScriptedBackend()
    gateway = gateway_with(scripted, plugin(gateway_wrap_stream))
    async with await gateway.open(request_for(), context()) as stream:
        assert isinstance(await anext(stream), ResponseStart)
    assert scripted.closed == 2
