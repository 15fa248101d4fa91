"""What a plugin that misbehaves does to the start, to its request, and to others."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import ConfigurationError, GatewayError
from gateway.http.app import create_app
from gateway.pipeline.gateway import CoreGateway
from gateway.streams import collect
from gateway.testing import ScriptedBackend
from tests.gateway.core_support import context, plugin, request_for

GatewayWith = Callable[..., CoreGateway]


def bad(hook: str, act: Callable[[], object]) -> object:
    """Misbehaves for the first request only, where there is a request."""
    calls = iter([act])

    def implementation() -> object:
        return next(calls, lambda: None)()

    implementation.__name__ = hook
    return plugin(implementation)


def raises() -> object:
    raise KeyError("a bug")


def nonsense() -> object:
    return 3


async def ask(gateway: CoreGateway) -> None:
    await collect(await gateway.open(request_for(), context()))


@pytest.mark.parametrize("act", [raises, nonsense])
@pytest.mark.parametrize(
    "hook",
    [
        "gateway_resolve_model",
        "gateway_transform_request",
        "gateway_open_stream",
        "gateway_wrap_stream",
    ],
)
async def test_its_own_request_fails_and_the_next_one_does_not(
    hook: str, act: Callable[[], object], gateway_with: GatewayWith
) -> None:
    gateway = gateway_with(ScriptedBackend(), bad(hook, act))
    with pytest.raises(GatewayError) as failed:
        await ask(gateway)
    assert failed.value.status in {500, 503}
    await ask(gateway)


@pytest.mark.parametrize("act", [raises, nonsense])
async def test_an_observer_harms_no_request(
    act: Callable[[], object], gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    await ask(gateway_with(ScriptedBackend(), bad("gateway_observe", act)))
    assert caplog.records


@pytest.mark.parametrize("act", [raises, nonsense])
async def test_the_start_stops_and_names_plugin_and_hook(
    act: Callable[[], object], gateway_with: GatewayWith
) -> None:
    for hook in ("gateway_asgi_wrapper", "gateway_lifespan"):
        gateway = gateway_with(bad(hook, act))
        with pytest.raises(ConfigurationError, match=rf"'test_plugin_0' .*{hook}"):
            async with (app := create_app(gateway)).router.lifespan_context(app):
                pass


def test_a_misspelt_hook_stops_the_start(gateway_with: GatewayWith) -> None:
    def gateway_obsreve(request: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="gateway_obsreve"):
        gateway_with(plugin(gateway_obsreve))
