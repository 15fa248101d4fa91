"""A hook that holds up the event loop is named; one that awaits is not."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from gateway.pipeline.gateway import CoreGateway
from gateway.testing import ScriptedBackend
from tests.clock import Clock
from tests.gateway.core_support import context, plugin, request_for

GatewayWith = Callable[..., CoreGateway]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("gateway.hooks.clock.perf_counter", made)
    return made


def blocking(hook: str, clock: Clock, result: object = None) -> object:
    def block() -> object:
        clock.turn(5)
        return result

    block.__name__ = hook
    return plugin(block)


@pytest.mark.parametrize(
    "hook",
    [
        "gateway_resolve_model",
        "gateway_transform_request",
        "gateway_open_stream",
        "gateway_wrap_stream",
        "gateway_observe",
    ],
)
async def test_a_call_that_blocks_is_named(
    hook: str, clock: Clock, gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = gateway_with(ScriptedBackend(), blocking(hook, clock))
    await (await gateway.open(request_for(), context())).aclose()
    [record] = caplog.records
    assert record.levelname == "WARNING"
    said = record.getMessage()
    assert said.startswith("plugin 'test_plugin_1' (code")
    assert said.endswith(f"blocked all requests for 5.0 s in {hook}")


async def test_a_step_of_a_coroutine_that_blocks_is_named(
    clock: Clock, gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    async def gateway_transform_request() -> None:
        await anyio.lowlevel.checkpoint()
        clock.turn(5)

    gateway = gateway_with(ScriptedBackend(), plugin(gateway_transform_request))
    await (await gateway.open(request_for(), context())).aclose()
    assert "blocked all requests for 5.0 s in gateway_transform_request" in caplog.text


async def test_a_hook_that_awaits_holds_up_nobody(
    clock: Clock, gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    """Another request goes through while the hook of the first one waits."""
    gate, waiting = anyio.Event(), anyio.Event()

    async def gateway_transform_request(request: Any) -> None:
        if request.messages[0].parts[0].text == "slow":
            waiting.set()
            await gate.wait()

    gateway = gateway_with(ScriptedBackend(), plugin(gateway_transform_request))

    async def slow() -> None:
        await (await gateway.open(request_for(text="slow"), context())).aclose()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(slow)
        await waiting.wait()
        clock.turn(5)
        await (await gateway.open(request_for(), context())).aclose()
        gate.set()
    assert caplog.text == ""


async def test_a_cancellation_reaches_the_coroutine(gateway_with: GatewayWith) -> None:
    ended: list[type[BaseException]] = []

    async def gateway_transform_request() -> None:
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            ended.append(type(error))
            raise

    gateway = gateway_with(ScriptedBackend(), plugin(gateway_transform_request))
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gateway.open, request_for(), context())
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    assert ended == [anyio.get_cancelled_exc_class()]
