"""Addresses to listen on: who reaches them, each of a name's, and a free port."""

import errno
import socket
from typing import Any

import pytest

from gateway.errors import ConfigurationError
from gateway.machine.addresses import reached_at, url_of
from gateway.server import listen
from tests.gateway.cli.cli_support import Listener

# -- listening ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "is_it"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:0.0.0.0", False),
        ("10.0.0.1", False),
        ("fe80::1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_what_only_this_machine_can_reach(address: str, is_it: bool) -> None:
    assert listen.is_loopback(address) is is_it


def test_a_name_with_one_address_that_others_reach_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(2, 1, 6, "", (address, 0)) for address in ("127.0.0.1", "192.0.2.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ConfigurationError, match=r"^name \(192.0.2.1\) is reachable"):
        listen.listen("name", 0, loopback_only=True)


def test_any_free_port() -> None:
    [listener] = listen.listen("127.0.0.1", 0)
    with listener:
        assert listener.getsockname()[1] > 0


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> list[Listener]:
    """A name with two addresses, one of them given twice, and what listens there."""
    listeners: list[Listener] = []

    def create_server(address: tuple[str, int], **_: object) -> Listener:
        if address[0] == "taken":
            raise OSError(99, "Cannot assign requested address")
        listeners.append(Listener(address))
        return listeners[-1]

    def getaddrinfo(host: str, port: int, **_: object) -> list[Any]:
        names = ["one", "one", "taken" if host == "half" else "two"]
        return [(2, 1, 6, "", (name, port)) for name in names]

    monkeypatch.setattr(socket, "create_server", create_server)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return listeners


def test_every_address_of_a_name_gets_the_same_port(two_addresses: list[Listener]) -> None:
    listen.listen("name", 0)
    assert [(one.host, one.port) for one in two_addresses] == [("one", 5555), ("two", 5555)]


def test_an_address_that_cannot_be_had_leaves_nothing_open(two_addresses: list[Listener]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"half \(taken\), port 0: Cannot assign requested address"
    ):
        listen.listen("half", 0)
    assert [one.closed for one in two_addresses] == [True]


# -- localhost ----------------------------------------------------------------------------


class Stack:
    """The loopback addresses of a machine: which are there, and which ports others have."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.missing: dict[str, int] = {}
        self.taken: set[tuple[str, int]] = set()
        self.listeners: list[Listener] = []
        self.free = iter(range(5001, 6000))
        monkeypatch.setattr(socket, "create_server", self.create_server)
        monkeypatch.setattr(socket, "getaddrinfo", self.getaddrinfo)
        monkeypatch.setattr(listen, "taken_by", lambda port: f"nginx at {port} uses it")
        monkeypatch.setattr(listen, "dragoman_running", lambda host, port: None)

    def create_server(self, address: tuple[str, int], **_: object) -> Listener:
        host, port = address[0], address[1] or next(self.free)
        if host in self.missing:
            raise OSError(self.missing[host], "Cannot assign requested address")
        if (host, port) in self.taken:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self.listeners.append(Listener((host, port)))
        return self.listeners[-1]

    def getaddrinfo(self, *_: object, **__: object) -> list[Any]:
        """A hosts file that leads the name elsewhere."""
        return [(2, 1, 6, "", ("192.0.2.1", 0))]

    @property
    def open(self) -> list[tuple[str, int]]:
        return [(one.host, one.port) for one in self.listeners if not one.closed]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(monkeypatch)


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "localhost."])
def test_localhost_is_loopback_of_both_families_whatever_the_hosts_file_says(
    name: str, stack: Stack
) -> None:
    listen.listen(name, 4000, loopback_only=True)
    assert stack.open == [("127.0.0.1", 4000), ("::1", 4000)]


def test_an_address_of_loopback_is_that_address_alone(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: [(2, 1, 6, "", (host, 0))])
    listen.listen("127.0.0.1", 4000, loopback_only=True)
    assert stack.open == [("127.0.0.1", 4000)]


@pytest.mark.parametrize("error", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT])
def test_without_ipv6_localhost_is_127_0_0_1(
    error: int, stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stack.missing["::1"] = error
    listen.listen("localhost", 4000)
    assert stack.open == [("127.0.0.1", 4000)]
    assert "no IPv6, so not listening on ::1" in caplog.text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_on_one_of_them_is_refused(address: str, stack: Stack) -> None:
    stack.taken.add((address, 4000))
    with pytest.raises(ConfigurationError) as refused:
        listen.listen("localhost", 4000)
    assert str(refused.value) == (
        f"can't listen on {address}, port 4000: nginx at 4000 uses it; "
        "choose another with --port or server.port"
    )
    assert stack.open == []


def test_any_free_port_is_one_that_is_free_on_both(stack: Stack) -> None:
    stack.taken |= {("::1", 5001), ("::1", 5002)}
    listen.listen("localhost", 0)
    assert stack.open == [("127.0.0.1", 5003), ("::1", 5003)]


def test_it_gives_up_where_no_port_is_free_on_both(stack: Stack) -> None:
    stack.taken |= {("::1", port) for port in range(5000, 6000)}
    with pytest.raises(ConfigurationError, match="::1, port 0: nginx"):
        listen.listen("localhost", 0)
    assert stack.open == []


def test_clients_reach_it_by_either_address() -> None:
    listeners = listen.listen("localhost", 0, loopback_only=True)
    port = listeners[0].getsockname()[1]
    try:
        for listener in listeners:
            host = listener.getsockname()[0]
            socket.create_connection((host, port), timeout=5).close()
    finally:
        for listener in listeners:
            listener.close()


def test_localhost_is_shown_as_an_address() -> None:
    assert url_of(reached_at("localhost"), 3456) == "http://127.0.0.1:3456"
