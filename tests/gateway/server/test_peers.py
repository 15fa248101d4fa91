"""Whether a client on this machine still waits, as the system tells it."""

import socket
import sys
from collections.abc import Callable

import pytest

from gateway.server.peers import still_waits


def shut(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_WR)


def shut_and_close(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_WR)
    client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")
@pytest.mark.parametrize(
    ("does", "waits"),
    [(lambda _: None, True), (shut, True), (socket.socket.close, False), (shut_and_close, False)],
    ids=["nothing", "ends its side", "closes", "both"],
)
def test_who_has_closed_waits_no_more(does: Callable[[socket.socket], None], waits: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        client.connect(listener.getsockname())
        own, _ = listener.accept()
        with own:
            does(client)
            assert still_waits(own.getsockname(), own.getpeername()) is waits


@pytest.mark.parametrize(
    ("own", "client"),
    [
        (("127.0.0.1", 80), ("192.0.2.1", 4000)),
        (None, ("127.0.0.1", 4000)),
        (("/run/a.sock", None), ("/run/b.sock", None)),
        (("/run/a.sock", None), ("/run/a.sock", None)),
        (("fe80::1%lo", 80), ("fe80::1%lo", 4000)),
    ],
)
def test_nobody_here_knows_of_others(own: object, client: object) -> None:
    assert still_waits(own, client) is None  # type: ignore[arg-type]
