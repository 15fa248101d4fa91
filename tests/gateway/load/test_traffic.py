"""Stopping: the first signal waits for what runs, and no longer than it may."""

import signal

import pytest
import uvicorn

from gateway import testing
from gateway.load.traffic import Traffic
from gateway.server.draining import Server, signals_of


def a_server(drain_seconds: float = 60, leave_seconds: float = 0) -> tuple[Server, Traffic]:
    traffic = Traffic()
    server = Server(
        uvicorn.Config(testing.build, log_config=None), traffic, drain_seconds, leave_seconds
    )
    server.config.load()
    server.started = True
    return server, traffic


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_waits_for_what_runs(number: signal.Signals) -> None:
    server, traffic = a_server()
    traffic.active = 1
    assert not await server.on_tick(0)
    server.handle_exit(number, None)
    assert traffic.draining
    assert not await server.on_tick(0)
    traffic.active = 0
    assert await server.on_tick(0)


async def test_it_leaves_before_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("gateway.server.draining.time.monotonic", lambda: now)
    server, traffic = a_server(leave_seconds=5)
    server.handle_exit(signal.SIGTERM, None)
    assert (traffic.leaving, traffic.draining) == (True, False)
    assert not await server.on_tick(1)
    now += 5
    assert not await server.on_tick(1)
    assert traffic.draining
    assert await server.on_tick(1)


async def test_the_second_signal_ends_it_while_it_leaves() -> None:
    server, _ = a_server(leave_seconds=60)
    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGTERM, None)
    assert await server.on_tick(1)


def test_a_hangup_stops_it_as_well_and_user_signals_do_nothing() -> None:
    server, traffic = a_server()
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    with signals_of(server):
        for harmless in (signal.SIGUSR1, signal.SIGUSR2):
            signal.raise_signal(harmless)
        assert not traffic.leaving
        signal.raise_signal(signal.SIGHUP)
    signal.signal(signal.SIGHUP, before)
    assert traffic.draining


def test_after_nohup_a_hangup_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        server, traffic = a_server()
        with signals_of(server):
            signal.raise_signal(signal.SIGHUP)
        assert not traffic.leaving
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_the_second_signal_does_not() -> None:
    server, traffic = a_server()
    traffic.active = 1
    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGTERM, None)
    assert await server.on_tick(0)


async def test_it_waits_no_longer_than_it_may() -> None:
    server, traffic = a_server(drain_seconds=0)
    traffic.active = 1
    server.handle_exit(signal.SIGTERM, None)
    assert await server.on_tick(0)


async def test_before_it_serves_there_is_nothing_to_wait_for() -> None:
    server, traffic = a_server()
    server.started = False
    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit
    assert not traffic.draining
