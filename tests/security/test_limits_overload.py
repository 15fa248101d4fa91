"""A gateway whose loop can't keep up refuses at once, over connections that stay usable."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.security.served import Answer, Served, chat, head, post, served

OK, BUSY = 200, 503
BODY = json.dumps(chat()).encode()
CODE = '''
from gateway import hookimpl
from gateway.load.saturation import FEW, LOOKS

@hookimpl
def gateway_register_routes(router, gateway):
    """The loop of a test is never late, so that and the requests in progress are set."""

    @router.get("/admit/{all_of_them}")
    async def admit(all_of_them: bool) -> None:
        saturation = gateway.saturation
        gateway.loop_watch._noted = lambda _, __: None
        gateway.traffic.active += FEW if not all_of_them else -FEW
        for _ in range(LOOKS):
            saturation.note(0 if all_of_them else 1, 1)
'''


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("overload")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "admit.py").write_text(CODE, encoding="utf-8")
    with served(folder) as running:
        yield running


@pytest.fixture
def full(gateway: Served) -> Iterator[Served]:
    """The gateway, with all requests of clients refused."""
    assert gateway.exchange(head("GET", "/admit/0")).status == OK
    yield gateway
    assert gateway.exchange(head("GET", "/admit/1")).status == OK


def kept(body: bytes, *headers: str) -> bytes:
    """A request after which the connection is kept."""
    return post(body, *headers).replace(b"connection: close\r\n", b"")


def answer_on(connection: socket.socket) -> Answer:
    raw = b""
    while not raw.endswith(b"}"):
        raw += connection.recv(65536) or pytest.fail("the connection was closed")
    return Answer(raw=raw)


@pytest.mark.parametrize("headers", [(), ("expect: 100-continue",)], ids=["whole", "in pieces"])
def test_a_refusal_says_when_to_come_back(full: Served, headers: tuple[str, ...]) -> None:
    answer = full.exchange(post(BODY, *headers))
    assert answer.status == BUSY
    assert answer.headers["retry-after"] == "1"
    assert answer.error["code"] == "gateway_busy"


def test_a_connection_is_still_good_after_a_refusal(gateway: Served) -> None:
    with gateway.connect() as connection:
        assert gateway.exchange(head("GET", "/admit/0")).status == OK
        for _ in range(2):
            connection.sendall(kept(BODY))
            answer = answer_on(connection)
            assert (answer.status, answer.error["code"]) == (BUSY, "gateway_busy")
            assert answer.headers["x-request-id"].startswith("req_")
        assert gateway.exchange(head("GET", "/admit/1")).status == OK
        connection.sendall(kept(BODY))
        assert answer_on(connection).status == OK


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/v1/models"])
def test_what_costs_little_is_still_answered(full: Served, path: str) -> None:
    assert full.exchange(head("GET", path)).status == OK
