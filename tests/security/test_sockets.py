"""What clients do with their sockets, over real ones: end a side, offer protocols, name targets."""

import json
import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.security.served import Answer, Served, chat, head, post, served

MODELS = {
    "echo": {"backend": "echo"},
    "slow": {"backend": "echo", "options": {"chunks": 8, "delay": 0.1}},
    "stuck": {"backend": "echo", "options": {"chunks": 2, "delay": 600}},
}
TEXT = "one two three four"
JSON = "content-type: application/json"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests here."""
    limits = {"keep_alive_seconds": 1}
    config = {"models": MODELS, "limits": limits}
    with served(tmp_path_factory.mktemp("served"), config) as running:
        yield running


def kept(request: bytes) -> bytes:
    """The same request on a connection that is to be kept."""
    return request.replace(b"connection: close\r\n", b"")


def half_closed(gateway: Served, sent: bytes) -> Answer:
    with gateway.connect() as connection:
        connection.settimeout(60)
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return Answer.read(connection)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["echo", "slow"])
def test_a_client_that_sends_nothing_more_gets_its_answer(
    model: str,
    stream: bool,
    gateway: Served,
) -> None:
    answer = half_closed(gateway, post(chat(TEXT, model, stream=stream)))
    assert answer.status == 200
    assert (b"[DONE]" in answer.raw) if stream else (TEXT.encode() in answer.body)


@pytest.mark.parametrize(
    ("last", "answers"),
    [
        (post(chat(TEXT)), 2),
        (b"POST /v1/chat", 1),
        (head(headers=[JSON, "content-length: 100"]) + b"{", 1),
    ],
    ids=["a whole request", "half a head", "half a body"],
)
def test_requests_behind_another_do_it_no_harm(last: bytes, answers: int, gateway: Served) -> None:
    answer = half_closed(gateway, kept(post(chat(TEXT, "slow"))) + last)
    assert answer.raw.count(b"HTTP/1.1 200 OK") == answers


@pytest.mark.parametrize(
    "sent", [b"GET /heal", head(headers=[JSON, "content-length: 100"]) + b"{"], ids=["head", "body"]
)
def test_half_a_request_is_a_wrong_one(sent: bytes, gateway: Served) -> None:
    answer = half_closed(gateway, sent)
    assert answer.status == 400
    assert "before the request was complete" in answer.error["message"]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel, and reads its table")
@pytest.mark.parametrize("ends_first", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_is_gone_is_noticed_at_once(
    stream: bool,
    ends_first: bool,
    gateway: Served,
) -> None:
    connection = gateway.connect()
    name = connection.getsockname()
    connection.sendall(post(chat(TEXT, "stuck", stream=stream)))
    if stream:
        connection.recv(65536)  # what is not read would make it a reset
    if ends_first:
        connection.shutdown(socket.SHUT_WR)
    connection.close()
    end = time.monotonic() + 30  # on a busy machine; the answer would take ten minutes
    while time.monotonic() < end and open_at(gateway.port, name):
        time.sleep(0.02)
    assert not open_at(gateway.port, name)


def open_at(port: int, client: tuple[str, int]) -> bool:
    """Whether the gateway has a connection with this client, ended on one side or not."""
    [ours, theirs] = (
        f"{bytes(reversed(socket.inet_aton(host))).hex().upper()}:{number:04X}"
        for host, number in (("127.0.0.1", port), client)
    )
    table = Path("/proc/net/tcp").read_text(encoding="ascii")
    rows = [line.split() for line in table.splitlines()]
    return any(row[1:3] == [ours, theirs] and row[3] in {"01", "08"} for row in rows)


# -- clients of which the kernel knows nothing, as those on other machines -----------------


def elsewhere(gateway: Served) -> socket.socket:
    """A connection from another address than the gateway's own."""
    connection = socket.socket()
    connection.bind(("127.0.0.2", 0))
    connection.settimeout(60)
    connection.connect(("127.0.0.1", gateway.port))
    return connection


@pytest.mark.skipif(sys.platform != "linux", reason="has no 127.0.0.2 unless it is set up")
@pytest.mark.parametrize("stream", [False, True])
def test_a_client_on_another_machine_gets_its_answer(
    stream: bool,
    gateway: Served,
) -> None:
    with elsewhere(gateway) as connection:
        connection.sendall(post(chat(TEXT, "slow", stream=stream)))
        connection.shutdown(socket.SHUT_WR)
        raw = Answer.read(connection).raw
    before, found, answer = raw.partition(b"HTTP/1.1 200 OK")
    assert found
    assert before.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"") == b""
    assert (b"[DONE]" in answer) if stream else (TEXT.encode() in answer)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's table")
def test_one_on_another_machine_that_is_gone_is_noticed(gateway: Served) -> None:
    connection = elsewhere(gateway)
    port = connection.getsockname()[1]
    connection.sendall(post(chat(TEXT, "stuck")))
    connection.close()
    end = time.monotonic() + 30
    while time.monotonic() < end and open_at(gateway.port, ("127.0.0.2", port)):
        time.sleep(0.02)
    assert not open_at(gateway.port, ("127.0.0.2", port))


# -- offers of other protocols ------------------------------------------------------------

UPGRADES = {
    "h2c": ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
    "websocket": ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
}


@pytest.mark.parametrize("offer", UPGRADES)
@pytest.mark.parametrize("cut", [b"1.1", b"grade:", b"\n\r\n", b"{", b"}", None])
def test_an_offer_costs_nothing_wherever_the_segments_end(
    offer: str, cut: bytes | None, gateway: Served
) -> None:
    """Twice on one connection, the first request in two pieces, or byte by byte."""
    request = kept(post(chat(TEXT), *UPGRADES[offer]))
    at = 1 if cut is None else request.index(cut) + 1
    with gateway.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pieces = (
            [bytes([byte]) for byte in request] if cut is None else [request[:at], request[at:]]
        )
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02 if cut is not None else 0)
        connection.sendall(post(chat("and another"), *UPGRADES[offer]))
        raw = Answer.read(connection).raw
    assert raw.count(b"HTTP/1.1 200 OK") == 2
    assert json.dumps(TEXT).encode() in raw
    assert b'"and another"' in raw


# -- targets, and whole requests that are odd ----------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (head("GET", "http://localhost/healthz"), 200),
        (head("GET", "http://[::1]:80/healthz"), 200),
        (head("GET", "http://evil.example/healthz"), 421),
        (head("GET", "/healthz", ["host: localhost"]), 421),
        (head("OPTIONS", "*"), 404),
        (head("CONNECT", "localhost:443"), 400),
        (head(headers=[JSON, "content-length: 2", "content-length: 2"]) + b"{}", 400),
        (head(headers=[JSON, "content-length: 2", "transfer-encoding: chunked"]) + b"{}", 400),
        (head(headers=[JSON, "transfer-encoding: chunked, gzip"]) + b"{}", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ],
)
def test_targets_and_framing(sent: bytes, status: int, gateway: Served) -> None:
    answer = gateway.exchange(sent)
    assert answer.status == status
    assert answer.raw.count(b"HTTP/1.1 ") == 1


def test_a_body_that_is_waited_for_is_asked_for(gateway: Served) -> None:
    content = json.dumps(chat(TEXT)).encode()
    with gateway.connect() as connection:
        length = f"content-length: {len(content)}"
        connection.sendall(head(headers=[JSON, length, "expect: 100-continue"]))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(content)
        assert Answer.read(connection).status == 200


# -- few open files -----------------------------------------------------------------------


def test_with_few_open_files_it_refuses_and_recovers(
    tmp_path: Path,
) -> None:
    with served(tmp_path, {"models": MODELS}) as gateway:
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (32, 32))
        with ExitStack() as stack:
            for _ in range(40):
                stack.enter_context(gateway.connect())
            assert gateway.exchange(b"").status in {None, 503}
        end = time.monotonic() + 30  # until it has noticed that they are gone
        while gateway.exchange(head("GET", "/healthz")).status != 200:
            assert time.monotonic() < end
