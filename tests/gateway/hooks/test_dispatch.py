"""The order in which implementations are called, and what becomes of failures."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from gateway import hookimpl
from gateway.errors import ConfigurationError, InvalidRequest, ServerFault
from gateway.hooks.calls import STREAM
from gateway.hooks.dispatch import Dispatcher, Expected, WrongResult
from gateway.hooks.registry import PluginRegistry
from gateway.types import StreamEvent
from tests.gateway.core_support import Recorder, context, plugin, request_for

TEXT = Expected("str", lambda result: isinstance(result, str))


def dispatcher(*plugins: object) -> Dispatcher:
    made = PluginRegistry()
    for number, one in enumerate(plugins):
        made.register(one, f"p{number}")
    return made._dispatcher


def appending(letter: str, **marks: bool) -> object:
    def gateway_transform_request(request: str) -> str:
        return request + letter

    return plugin(gateway_transform_request, **marks)


def failing(hook: str, error: Exception) -> object:
    def fail() -> None:
        raise error

    fail.__name__ = hook
    return plugin(fail)


def resolved(found: Dispatcher) -> object:
    return found.first("gateway_resolve_model", TEXT, name="a", models=None, request=None, ctx=None)


async def folded(*plugins: object) -> str:
    return await dispatcher(*plugins).fold(
        "gateway_transform_request", "", "request", TEXT, ctx=context()
    )


@pytest.mark.parametrize(
    ("marks", "order"),
    [
        pytest.param([{}, {}, {}], "cba", id="later registered, earlier called"),
        pytest.param([{"tryfirst": True}, {}, {}], "acb", id="tryfirst"),
        pytest.param([{}, {}, {"trylast": True}], "bac", id="trylast"),
    ],
)
async def test_order(marks: list[dict[str, bool]], order: str) -> None:
    plugins = [appending(letter, **mark) for letter, mark in zip("abc", marks, strict=True)]
    assert await folded(*plugins) == order


async def test_fold_takes_awaitables_and_none() -> None:
    async def gateway_transform_request(request: str) -> str | None:
        return request + "!"

    def keeps(request: str) -> None:
        return None

    keeps.__name__ = "gateway_transform_request"
    assert await folded(appending("a"), plugin(keeps), plugin(gateway_transform_request)) == "!a"


async def test_fold_that_raises_fails_the_request_and_names_the_plugin() -> None:
    with pytest.raises(ServerFault, match=r"^plugin 'p0' failed in gateway_transform_request; "):
        await folded(failing("gateway_transform_request", KeyError("x")))


async def test_fold_lets_gateway_errors_through() -> None:
    with pytest.raises(InvalidRequest):
        await folded(failing("gateway_transform_request", InvalidRequest("no")))


async def test_fold_rejects_another_type(caplog: pytest.LogCaptureFixture) -> None:
    def gateway_transform_request() -> int:
        return 3

    with pytest.raises(ServerFault):
        await folded(plugin(gateway_transform_request))
    assert "returned int, not str or None" in caplog.text


async def test_fold_of_streams_rejects_one_that_cannot_be_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Endless:
        async def __anext__(self) -> None: ...

    async def source() -> AsyncGenerator[StreamEvent]:
        yield  # type: ignore[misc]

    def gateway_wrap_stream() -> object:
        return Endless()

    with pytest.raises(ServerFault):
        await dispatcher(plugin(gateway_wrap_stream)).fold(
            "gateway_wrap_stream", source(), "stream", STREAM
        )
    assert "returned Endless, not a stream" in caplog.text


def test_first_asks_no_further_than_the_first_answer() -> None:
    def gateway_resolve_model(name: str) -> str:
        return f"{name}!"

    found = dispatcher(
        failing("gateway_resolve_model", KeyError("never called")), plugin(gateway_resolve_model)
    )
    assert resolved(found) == "a!"


def test_first_that_raises_fails_the_request_and_names_the_plugin() -> None:
    found = dispatcher(failing("gateway_resolve_model", KeyError("x")))
    with pytest.raises(ServerFault, match="'p0' failed in gateway_resolve_model"):
        resolved(found)


def test_the_guilty_plugin_of_several_is_named_for_a_wrong_result(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def gateway_resolve_model() -> int:
        return 3

    def nothing() -> None:
        return None

    nothing.__name__ = "gateway_resolve_model"
    found = dispatcher(
        failing("gateway_resolve_model", KeyError("never called")),
        plugin(gateway_resolve_model),
        plugin(nothing),
    )
    with pytest.raises(WrongResult, match=r"^plugin 'p1' failed in gateway_resolve_model; "):
        resolved(found)
    assert "returned int, not the name of a model or None" in caplog.text


def test_a_wrong_result_of_a_hook_wrapper_names_the_hook(caplog: pytest.LogCaptureFixture) -> None:
    class Doubles:
        @hookimpl(wrapper=True)
        def gateway_resolve_model(self) -> Any:
            yield
            return 3

    with pytest.raises(ServerFault, match=r"^a plugin failed in gateway_resolve_model; "):
        resolved(dispatcher(Doubles()))
    assert "returned int, not str or None" in caplog.text


def test_first_lets_gateway_errors_through() -> None:
    found = dispatcher(failing("gateway_resolve_model", InvalidRequest("no")))
    with pytest.raises(InvalidRequest):
        resolved(found)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            KeyError("x"),
            r"^plugin 'p1' \(code.*\) failed in gateway_register_models: KeyError\('x'\)$",
        ),
        (
            ConfigurationError("colour is missing"),
            r"^colour is missing \(plugin 'p1'\)$",
        ),
    ],
)
def test_register_that_raises_stops_the_start_and_names_plugin_and_file(
    error: Exception, said: str
) -> None:
    found = dispatcher(appending("a"), failing("gateway_register_models", error))
    with pytest.raises(
        ConfigurationError,
        match=said,
    ):
        found.register("gateway_register_models", register=print)


def test_a_failure_names_the_file_of_the_plugin() -> None:
    class Here:
        @hookimpl
        def gateway_register_models(self) -> None:
            raise KeyError

    with pytest.raises(ConfigurationError, match=r"test_dispatch\.py\) failed"):
        dispatcher(Here()).register("gateway_register_models", register=print)


@pytest.mark.parametrize("guilty", [0, 1])
def test_of_two_plugins_of_one_class_the_guilty_one_is_named(guilty: int) -> None:
    class Maybe:
        def __init__(self, *, fails: bool) -> None:
            self.fails = fails

        @hookimpl
        def gateway_register_models(self) -> None:
            if self.fails:
                raise KeyError

    found = dispatcher(Maybe(fails=guilty == 0), Maybe(fails=guilty == 1))
    with pytest.raises(ConfigurationError, match=f"plugin 'p{guilty}'"):
        found.register("gateway_register_models", register=print)


def test_a_failure_in_none_of_them_is_still_a_plugins() -> None:
    assert dispatcher()._culprit("gateway_register_models", None) == "a plugin"


def test_nested_that_raises_stops_the_start() -> None:
    found = dispatcher(failing("gateway_lifespan", KeyError("x")))
    with pytest.raises(ConfigurationError, match=r"'p0' .* failed in gateway_lifespan: KeyError"):
        found.nested("gateway_lifespan", TEXT, gateway=None)


def test_nested_leaves_out_none() -> None:
    def gateway_lifespan() -> None:
        return None

    assert dispatcher(plugin(gateway_lifespan)).nested("gateway_lifespan", TEXT, gateway=None) == []


def test_notify_that_raises_is_logged_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    def gateway_observe() -> str:
        return "watching"

    def nothing() -> None:
        return None

    nothing.__name__ = "gateway_observe"
    found = dispatcher(
        plugin(gateway_observe), failing("gateway_observe", KeyError("x")), plugin(nothing)
    )
    assert list(found.notify("gateway_observe", TEXT, request=None, ctx=None)) == [
        ("p0", "watching")
    ]
    assert "plugin 'p1' (code" in caplog.text


async def test_one_observer_failing_to_start_leaves_the_others(
    gateway_with: Callable[..., Any],
) -> None:
    recorder = Recorder()
    gateway = gateway_with(recorder.plugin(), failing("gateway_observe", KeyError("x")))
    with pytest.raises(ServerFault):
        await gateway.open(request_for(), context())
    assert recorder.outcome.status == "failed"
