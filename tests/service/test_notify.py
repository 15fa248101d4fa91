"""What systemd is told, on a real datagram socket."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from gateway import hookimpl
from gateway.http.app import create_app
from gateway.testing import ScriptedBackend, build
from gateway_service import notify
from gateway_service.notify import address_of, notifying, ping_seconds


class Systemd:
    """Listens, as systemd does."""

    def __init__(self, bound: str | bytes, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(bound)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """Since the last look."""
        said = []
        while True:
            try:
                said.append(self.socket.recv(1000).decode("ascii"))
            except BlockingIOError:
                return said

    async def hears(self, state: str) -> None:
        """Wait for it."""
        with anyio.fail_after(5):
            while await asyncio.get_running_loop().sock_recv(self.socket, 1000) != state.encode():
                pass


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    if request.param == "path":
        found = Systemd(str(tmp_path / "s"), str(tmp_path / "s"))
    else:
        name = f"dragoman-test-{os.getpid()}"
        found = Systemd(f"\0{name}".encode("ascii"), f"@{name}")
    yield found
    found.socket.close()


def running() -> bool:
    return False


async def test_it_is_told_ready_then_alive_then_stopping(systemd: Systemd) -> None:
    async with notifying(systemd.address, 0.01, running):
        assert systemd.heard()[0] == "READY=1"
        await systemd.hears("WATCHDOG=1")
        await systemd.hears("WATCHDOG=1")
    assert systemd.heard()[-1] == "STOPPING=1"


async def test_without_a_watchdog_there_are_no_pings(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "LOOK_SECONDS", 0.001)
    looked = anyio.Event()
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        if looks > 5:
            looked.set()
        return False

    async with notifying(systemd.address, None, look):
        await looked.wait()
    assert systemd.heard() == ["READY=1", "STOPPING=1"]


async def test_it_hears_of_the_end_when_that_begins(systemd: Systemd) -> None:
    stopping = False
    async with notifying(systemd.address, 0.01, lambda: stopping):
        await systemd.hears("WATCHDOG=1")
        stopping = True
        await systemd.hears("STOPPING=1")
        await systemd.hears("WATCHDOG=1")  # answers may take their time; it is still alive


async def test_a_socket_that_is_gone_is_one_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with notifying(str(tmp_path / "gone"), None, running):
        pass
    [message] = caplog.messages
    assert "systemd can't be notified (READY=1)" in message


async def test_a_gateway_says_so_when_it_serves(
    systemd: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
    app = create_app(build(tmp_path, ScriptedBackend(), disabled=("claude_code",)))
    assert systemd.heard() == []
    async with app.router.lifespan_context(app):
        assert systemd.heard() == ["READY=1"]
    assert systemd.heard() == ["STOPPING=1"]


async def test_ready_is_said_when_every_plugin_is(
    systemd: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
    heard: list[list[str]] = []

    @asynccontextmanager
    async def looking() -> AsyncGenerator[None]:
        heard.append(systemd.heard())
        yield
        heard.append(systemd.heard())

    class Looking:
        @hookimpl
        def gateway_lifespan(self) -> AbstractAsyncContextManager[None]:
            return looking()

    app = create_app(build(tmp_path, Looking(), disabled=("claude_code",)))
    async with app.router.lifespan_context(app):
        pass
    assert heard == [[], ["READY=1", "STOPPING=1"]]


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("/run/user/1/systemd/notify", "/run/user/1/systemd/notify"),
        ("@abstract", "@abstract"),
        ("vsock:2:1", None),
        ("", None),
    ],
)
def test_where_systemd_listens(value: str, address: str | None) -> None:
    assert address_of({"NOTIFY_SOCKET": value}) == address


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 30),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 30),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),  # meant for another process
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_how_often_it_wants_to_hear(environ: dict[str, str], seconds: float | None) -> None:
    assert ping_seconds(environ, pid=7) == seconds


def test_nothing_happens_where_nobody_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    gateway = build(tmp_path, disabled=("access", "claude_code", "openai_responses", "terminal"))
    assert gateway.plugins.hooks.lifespans(gateway) == []
