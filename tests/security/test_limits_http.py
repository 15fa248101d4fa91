"""Limits of connections, over real sockets: what uvicorn has none for, and what it does with ours.

These hold whatever the server's next version makes of the callbacks that the limits hang on.
"""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.served import Answer, Served, chat, head, post, served

LIMITS: dict[str, object] = {
    "connections": 10,
    "header_seconds": 0.4,
    "header_bytes": 4096,
    "header_count": 30,
    "url_bytes": 1000,
    "keep_alive_seconds": 2,
    "send_seconds": 0.5,
    "body_seconds": 1,
    "body_bytes": 40_000_000,
    "answer_bytes": 13_000_000,
}

HEALTH = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests here; each leaves it as it was."""
    with served(tmp_path_factory.mktemp("served"), {"limits": LIMITS}) as running:
        yield running


def test_an_ordinary_request_meets_no_limit(gateway: Served) -> None:
    answer = gateway.ask(chat())
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ["Upgrade", "upgrade", "UPGRADE"])
def test_an_offer_of_http_2_does_not_cost_the_body(gateway: Served, name: str) -> None:
    answer = gateway.ask(
        chat(), "Connection: Upgrade, HTTP2-Settings", f"{name}: h2c", "HTTP2-Settings: AAMAAABk"
    )
    assert answer.status == 200
    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "Hi"


def test_a_client_may_take_its_time_over_pieces_of_a_request(gateway: Served) -> None:
    request = post(chat())
    with gateway.connect() as connection:
        for start in range(0, len(request), len(request) // 5):
            connection.sendall(request[start : start + len(request) // 5])
            time.sleep(0.03)
        assert Answer.read(connection).status == 200


# -- headers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status", "key"),
    [
        (head(headers=["x-long: " + "a" * 5000]), 431, "limits.header_bytes"),
        (head(headers=["x-some: " + "a" * 500] * 9), 431, "limits.header_bytes"),
        (b"GET / HTTP/1.1\r\nx-endless: " + b"a" * 100_000, 431, "limits.header_bytes"),
        (b"GET / HTTP/1.1\r\n" + b"a" * 100_000, 431, "limits.header_bytes"),
        (head(headers=[f"x-{number}: 1" for number in range(40)]), 431, "limits.header_count"),
        (head("GET", "/" + "a" * 1000), 414, "limits.url_bytes"),
        (head("GET", "/health?" + "a" * 1000), 414, "limits.url_bytes"),
        (b"GET /" + b"a" * 2000, 414, "limits.url_bytes"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, bytes) else None,
)
def test_what_is_too_large_is_refused_in_the_form_of_the_frontend(
    sent: bytes, status: int, key: str, gateway: Served
) -> None:
    answer = gateway.exchange(sent)
    assert answer.status == status
    assert key in answer.error["message"]
    assert answer.headers["connection"] == "close"


def test_the_trailers_of_a_body_are_headers_too(gateway: Served) -> None:
    start = head(headers=["content-type: application/json", "transfer-encoding: chunked"])
    content = json.dumps(chat()).encode()
    body = b"%x\r\n%s\r\n0\r\n" % (len(content), content)
    trailers = b"".join(b"x-%d: 1\r\n" % number for number in range(1000))
    assert gateway.exchange(start + body + b"\r\n").status == 200
    assert gateway.exchange(start + body + trailers + b"\r\n").status != 200


@pytest.mark.parametrize(
    "sent",
    [b"GET /health HTTP/1.1\r\nhost: ga", b"GET /heal", b"POST /v1/chat/completions HTTP/1.1\r\n"],
)
def test_half_a_request_is_not_waited_for(sent: bytes, gateway: Served) -> None:
    started = time.monotonic()
    answer = gateway.exchange(sent)
    assert 0.3 < time.monotonic() - started < 8
    assert answer.status == 408
    assert "limits.header_seconds" in answer.error["message"]


def test_a_header_now_and_then_does_not_hold_a_connection(gateway: Served) -> None:
    started = time.monotonic()
    with gateway.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(b"GET /health HTTP/1.1\r\n")
        while time.monotonic() - started < 8:
            connection.sendall(b"x-a: b\r\n")
            time.sleep(0.05)
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"], ids=["nothing", "blank lines"])
def test_a_connection_on_which_nothing_is_asked_is_closed(sent: bytes, gateway: Served) -> None:
    started = time.monotonic()
    assert gateway.exchange(sent).status is None
    assert 0.3 < time.monotonic() - started < 8


def test_what_is_no_http_is_a_400_in_the_form_of_the_frontend(gateway: Served) -> None:
    answer = gateway.exchange(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    assert answer.status == 400
    assert "Invalid HTTP" in answer.error["message"]


def test_a_body_in_broken_chunks_is_a_400(gateway: Served) -> None:
    start = head(headers=["content-type: application/json", "transfer-encoding: chunked"])
    answer = gateway.exchange(start + b'5\r\n{"mod\r\nzz\r\n')
    assert answer.status == 400
    assert "Invalid HTTP" in answer.error["message"]
    assert answer.raw.count(b"HTTP/1.1") == 1


def test_broken_chunks_behind_another_request_are_not_blamed_on_it(gateway: Served) -> None:
    first = post(chat("one two three", "slow")).replace(b"connection: close\r\n", b"")
    start = head(headers=["content-type: application/json", "transfer-encoding: chunked"])
    answer = gateway.exchange(first + start + b"zz\r\n")
    assert answer.status != 400  # which would be said of the first one


# -- keep-alive ---------------------------------------------------------------------------


def read_one(connection: socket.socket) -> bytes:
    raw = b""
    while b"}" not in raw:
        piece = connection.recv(65536)
        assert piece
        raw += piece
    return raw


def test_a_connection_is_kept_for_the_next_request_and_then_closed(gateway: Served) -> None:
    with gateway.connect() as connection:
        for _ in range(2):
            connection.sendall(HEALTH)
            assert b"200 OK" in read_one(connection)
            time.sleep(0.6)  # longer than half a request may take
        started = time.monotonic()
        assert Answer.read(connection).status is None
        assert time.monotonic() - started < 8


def test_a_byte_after_an_answer_does_not_hold_a_connection(gateway: Served) -> None:
    with gateway.connect() as connection:
        connection.sendall(HEALTH)
        read_one(connection)
        connection.sendall(b"\r\n")
        started = time.monotonic()
        assert Answer.read(connection).status is None
        assert time.monotonic() - started < 8


def test_pipelined_requests_are_all_answered(gateway: Served) -> None:
    answer = gateway.exchange(HEALTH * 3 + head("GET", "/healthz"))
    assert answer.raw.count(b"HTTP/1.1 200 OK") == 4


@pytest.mark.parametrize("cut", [None, -20], ids=["no body", "half a head"])
def test_half_a_request_behind_another_does_it_no_harm(cut: int | None, gateway: Served) -> None:
    first = post(chat("one two three", "slow")).replace(b"connection: close\r\n", b"")
    second = head(headers=["content-type: application/json", "content-length: 1000"])[:cut]
    answer = gateway.exchange(first + second)
    assert answer.status == 200
    assert b'"one two three"' in answer.body


# -- bodies -------------------------------------------------------------------------------


def test_a_body_that_does_not_come_is_not_waited_for(gateway: Served) -> None:
    started = time.monotonic()
    with gateway.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(head(headers=["content-type: application/json", "content-length: 1000"]))
        for _ in range(60):
            connection.sendall(b" ")
            time.sleep(0.05)
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                raw = connection.recv(65536)
                break
            connection.setblocking(True)
    answer = Answer(raw=raw)
    assert 0.3 < time.monotonic() - started < 8
    assert answer.status == 408
    assert "limits.body_seconds" in answer.error["message"]


def test_a_body_that_nobody_wants_is_not_waited_for_either(gateway: Served) -> None:
    started = time.monotonic()
    with gateway.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(head(path="/nowhere", headers=["content-length: 1000"]))
        while time.monotonic() - started < 8:
            connection.sendall(b" ")
            time.sleep(0.05)
    assert time.monotonic() - started < 8


def test_a_body_that_is_announced_as_too_large_is_not_read(gateway: Served) -> None:
    answer = gateway.exchange(
        head(headers=["content-type: application/json", "content-length: 40000001"])
    )
    assert answer.status == 413
    assert "limits.body_bytes" in answer.error["message"]


# -- answers ------------------------------------------------------------------------------


def test_an_answer_that_goes_on_and_on_is_cut(gateway: Served) -> None:
    answer = gateway.ask(chat("a" * 13_000_001))
    assert answer.status == 502
    assert "limits.answer_bytes" in answer.error["message"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_does_not_read_is_cut_off(stream: bool, gateway: Served) -> None:
    before = gateway.log.read_text(encoding="utf-8")
    with gateway.connect(receive_buffer=4096) as connection:
        # more than the system keeps for a connection, of a request that is soon there
        connection.sendall(post(chat("a" * 500_000, "pieces", stream=stream, n=24)))
        end = time.monotonic() + 60  # on a busy machine; `send_seconds` are half a second
        while time.monotonic() < end and connected(gateway.port, connection):
            time.sleep(0.05)
        assert not connected(gateway.port, connection)
        answer = Answer.read(connection)
    assert len(answer.raw) < 12_000_000
    assert b"[DONE]" not in answer.raw
    said = gateway.log.read_text(encoding="utf-8").removeprefix(before)
    assert said.count("limits.send_seconds") == 1


def connected(port: int, connection: socket.socket) -> bool:
    """Whether the gateway still has its end of a connection, as the system's table says."""
    client = f"0100007F:{connection.getsockname()[1]:04X}"
    table = Path("/proc/net/tcp").read_text(encoding="ascii")
    rows = [line.split() for line in table.splitlines()]
    return any(row[1:4] == [f"0100007F:{port:04X}", client, "01"] for row in rows)


def test_no_other_client_is_said_not_to_read(gateway: Served) -> None:
    before = gateway.log.read_text(encoding="utf-8")
    assert gateway.ask(chat()).status == 200
    gateway.exchange(b"")
    gateway.exchange(b"no HTTP\r\n\r\n")
    with gateway.connect() as connection:
        connection.sendall(post(chat("a", "slow", stream=True)))
    time.sleep(0.8)
    assert "send_seconds" not in gateway.log.read_text(encoding="utf-8").removeprefix(before)


# -- too many -----------------------------------------------------------------------------


def test_more_connections_than_there_may_be_are_told_so(gateway: Served) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(gateway.connect())
        answer = gateway.exchange(head("GET", "/v1/models"))
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["connection"] == "close"
        assert answer.headers["x-request-id"].startswith("req_")
        assert "limits.connections" in answer.error["message"]
        assert answer.error["code"] == "gateway_busy"
        for monitor in ("/livez", "/readyz", "/healthz"):
            assert gateway.exchange(head("GET", monitor)).status == 200
    assert gateway.exchange(head("GET", "/healthz")).status == 200


def test_many_more_get_a_status_at_once(gateway: Served) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(110):
            stack.enter_context(gateway.connect())
        answer = gateway.exchange(b"")
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
    assert gateway.exchange(head("GET", "/healthz")).status == 200
