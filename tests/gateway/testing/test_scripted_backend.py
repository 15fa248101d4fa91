"""`gateway.testing`, which plugins' authors write their tests with."""

from collections.abc import Callable

import anyio

from gateway.pipeline.gateway import CoreGateway
from gateway.streams import collect
from gateway.testing import ScriptedBackend, text_answer
from gateway.types import ChatRequest, Text
from tests.gateway.core_support import context, request_for

GatewayWith = Callable[..., CoreGateway]


async def ask(gateway: CoreGateway, model: str = "test-model") -> tuple[object, ...]:
    return (await collect(await gateway.open(request_for(model), context()))).parts


async def test_scripts_are_played_in_order_and_the_last_again(gateway_with: GatewayWith) -> None:
    backend = ScriptedBackend(text_answer("one"), text_answer("two"))
    gateway = gateway_with(backend)
    answers = [await ask(gateway) for _ in range(3)]
    assert answers == [(Text(text=text),) for text in ("one", "two", "two")]
    assert (len(backend.requests), backend.closed) == (3, 3)


async def test_a_reply_may_depend_on_the_request(gateway_with: GatewayWith) -> None:
    def reply(request: ChatRequest) -> list[object]:
        return list(text_answer(request.model))

    backend = ScriptedBackend(reply=reply)  # type: ignore[arg-type]
    assert await ask(gateway_with(backend)) == (Text(text="test-model"),)


async def test_a_script_may_wait(gateway_with: GatewayWith) -> None:
    ready = anyio.Event()
    ready.set()
    gateway = gateway_with(ScriptedBackend([0.0, ready, *text_answer("late")]))
    assert await ask(gateway) == (Text(text="late"),)


async def test_models_of_other_backends_are_left_alone(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(
        ScriptedBackend(text_answer("first")),
        ScriptedBackend(text_answer("never")),
        config={"models": {"m": {"backend": "scripted"}}},
    )
    assert await ask(gateway, "m") == (Text(text="never"),)
