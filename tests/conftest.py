"""What all tests share."""

import contextlib
import gc
import os
import sys
import time
from collections.abc import Iterator

import pytest

from gateway.client import running_gateways
from gateway.machine import command_name
from gateway_access.keys import environment, keys_file
from gateway_openai_responses import config as responses_config
from tests.cells import examples
from tests.clock import RunningClock

with contextlib.suppress(ImportError):  # the clients' environment has none
    from hypothesis import HealthCheck, settings

    # On a busy machine time says nothing about the code.
    settings.register_profile(
        "untimed",
        deadline=None,
        max_examples=examples(100),
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """The modules and the thousands of tests live to the end.

    To search them for garbage again and again would take a quarter of the collection's time, and
    some of each test's.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Coverage is measured by tests without a real CLI: with one it would cost a fifth more time."""
    if item.get_closest_marker("e2e") is None:
        return (yield)
    with _unmeasured():
        return (yield)


@contextlib.contextmanager
def _unmeasured() -> Iterator[None]:
    """Neither this process nor those that it starts meanwhile measure coverage."""
    module = sys.modules.get("coverage")
    coverage = module.Coverage.current() if module is not None else None
    if coverage is None:
        yield
        return
    told = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith("COVERAGE_")}
    coverage.stop()
    try:
        yield
    finally:
        coverage.start()
        os.environ.update(told)


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio alone: the gateway runs under uvicorn, which knows no other."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever keys the user has, they take no part."""
    for variable in (environment.ONE, environment.SEVERAL):
        monkeypatch.delenv(variable, raising=False)
    nowhere = tmp_path_factory.getbasetemp() / "no-keys.yaml"
    monkeypatch.setattr(keys_file, "DEFAULT", str(nowhere))


@pytest.fixture(autouse=True)
def _no_running_gateways(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever gateways the user runs, no test asks them."""
    nowhere = tmp_path_factory.getbasetemp() / "no-gateways"
    monkeypatch.setattr(running_gateways, "folder", lambda *_: nowhere)


@pytest.fixture(autouse=True)
def _no_kept_responses(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever responses the user has kept, no test adds one."""
    nowhere = tmp_path_factory.getbasetemp() / "responses" / "responses.db"
    monkeypatch.setattr(responses_config, "default_path", lambda: nowhere)


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """However these tests are run, this process calls the command by its name."""
    monkeypatch.setattr(command_name, "_program", lambda: None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> RunningClock:
    """The clock of this process and of its event loop, which can be turned."""
    turned = RunningClock()
    monkeypatch.setattr(time, "monotonic", turned)
    monkeypatch.setattr(time, "perf_counter", turned)
    return turned
