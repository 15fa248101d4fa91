"""What plugins may return: a result of the wrong type is named, and harms as little as a failure."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

import gateway
from gateway.errors import BackendUnavailable, ConfigurationError, InvalidRequest, ServerFault
from gateway.hooks import specs
from gateway.hooks.calls import HookCalls
from gateway.pipeline.gateway import CoreGateway
from gateway.types import Target
from tests.gateway.core_support import context, plugin, request_for

GatewayWith = Callable[..., CoreGateway]
TARGET = Target(model="test-model", backend="b", name="s1")


def returning(hook: str, result: object) -> object:
    def implementation() -> object:
        return result

    implementation.__name__ = hook
    return plugin(implementation)


FAILS: dict[str, tuple[Callable[[HookCalls, CoreGateway], object], type[Exception], str]] = {
    "gateway_asgi_wrapper": (
        lambda hooks, gateway: hooks.asgi_wrappers(gateway),
        ConfigurationError,
        r"'test_plugin_0' .*returned int, not a function that takes an application",
    ),
    "gateway_lifespan": (
        lambda hooks, gateway: hooks.lifespans(gateway),
        ConfigurationError,
        r"'test_plugin_0' .*returned int, not an async context manager",
    ),
    "gateway_render_error": (
        lambda hooks, _: hooks.render_error(InvalidRequest("no"), Request({"type": "http"})),
        ServerFault,
        "^plugin 'test_plugin_0' failed in gateway_render_error; ",
    ),
    "gateway_resolve_model": (
        lambda hooks, gateway: hooks.resolve_model("a", gateway.models, None, None),
        ServerFault,
        "^plugin 'test_plugin_0' failed in gateway_resolve_model for the model 'a'; ",
    ),
    "gateway_describe_model": (
        lambda hooks, _: hooks.describe_model(TARGET),
        ServerFault,
        "^plugin 'test_plugin_0' failed in gateway_describe_model for the model 'test-model'; ",
    ),
    "gateway_open_stream": (
        lambda hooks, _: hooks.open_stream(request_for(), TARGET, context()),
        BackendUnavailable,
        "the backend 'b' did not return a stream: plugin 'test_plugin_0' failed in "
        "gateway_open_stream for the model 'test-model'; ",
    ),
}
EXPECTED = {
    "gateway_render_error": "returned int, not a Response or None",
    "gateway_resolve_model": "returned int, not the name of a model or None",
    "gateway_describe_model": "returned int, not a ModelDescription or None",
    "gateway_open_stream": "returned int, not a stream or None",
}


@pytest.mark.parametrize("hook", FAILS)
def test_a_wrong_result_is_an_error(
    hook: str, gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    call, error, said = FAILS[hook]
    made = gateway_with(returning(hook, 3))
    with pytest.raises(error, match=said):
        call(made.plugins.hooks, made)
    assert EXPECTED.get(hook, "") in caplog.text


@pytest.mark.parametrize(
    ("hook", "result", "expected"),
    [
        ("gateway_reconfigured", "access", "returned str, not a collection of names"),
        ("gateway_reconfigured", 3, "returned int, not a collection of names"),
        ("gateway_observe", 3, "returned int, not an observer with an `on_end`"),
        ("gateway_observe", dict, "returned type, not an observer with an `on_end`"),
    ],
)
def test_a_wrong_result_of_a_notify_hook_is_left_out(
    hook: str,
    result: object,
    expected: str,
    gateway_with: GatewayWith,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = gateway_with(returning(hook, result))
    hooks = made.plugins.hooks
    found: object = (
        hooks.reconfigured(made)
        if hook == "gateway_reconfigured"
        else hooks.observe(request_for(), context())
    )
    assert not found
    assert f"plugin 'test_plugin_0' (code) failed in {hook}" in re.sub(r", /[^)]*", "", caplog.text)
    assert expected in caplog.text


async def test_a_part_of_the_health_that_is_no_object_is_an_error(
    gateway_with: GatewayWith,
) -> None:
    made = gateway_with(returning("gateway_health", 3))
    [(name, part), *_] = made.plugins.hooks.health(made)
    assert name == "test_plugin_0"
    with pytest.raises(TypeError, match="returned int, not a dict"):
        await part


@pytest.mark.parametrize("hook", specs.KINDS)
def test_a_hook_is_called_here_and_nowhere_else(hook: str) -> None:
    root = Path(gateway.__file__).parent
    plugins = root.parent / "plugins"
    named: list[Any] = [
        path.relative_to(root.parent).as_posix()
        for folder in (root, plugins)
        for path in folder.rglob("*.py")
        if f'"{hook}"' in path.read_text(encoding="utf-8")
    ]
    assert set(named) - {"gateway/hooks/checks.py"} == {
        "gateway/hooks/calls.py",
        "gateway/hooks/specs.py",
    }
