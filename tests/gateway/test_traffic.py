"""Stopping: the first signal waits for what runs, and no longer than it may."""

import signal

import pytest
import uvicorn

from gateway import testing
from gateway.server import Server
from gateway.traffic import Traffic


def a_server(drain_seconds: float = 60) -> tuple[Server, Traffic]:
    traffic = Traffic()
    server = Server(uvicorn.Config(testing.build), traffic, drain_seconds)
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
