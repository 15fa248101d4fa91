"""Asking a gateway how it is, and telling it from other programs."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.client.health import NotUp, ask_health, dragoman_at, url_for
from gateway.config.settings import ServerConfig

WHOLE = {"status": "ok", "version": "1.2", "offline": False}


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """The origin of a server that answers once, and what it was asked: the path, and the key."""
    asked: list[tuple[str, str | None]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        thread.join()


def test_the_whole_report_with_a_key() -> None:
    with answering(json.dumps(WHOLE).encode()) as (url, asked):
        assert ask_health(url, seconds=5, key="dgm-1") == WHOLE
    assert asked == [("/health", "Bearer dgm-1")]


def test_the_state_alone() -> None:
    with answering(b'{"status": "draining"}') as (url, asked):
        assert ask_health(url, seconds=5, path="/healthz")["status"] == "draining"
    assert asked == [("/healthz", None)]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"<html>", 200, "something answers there, but it is not Dragoman"),
        (b"[]", 200, "something answers there, but it is not Dragoman"),
        (b'{"state": 1}', 200, "something answers there, but it is not Dragoman"),
        (b'{"status": 1}', 200, "something answers there, but it is not Dragoman"),
        (b"{}", 404, "something answers there (404), but it is not Dragoman"),
    ],
)
def test_another_program(body: bytes, status: int, said: str) -> None:
    with answering(body, status) as (url, _), pytest.raises(NotUp) as error:
        ask_health(url, seconds=5)
    assert str(error.value) == said


def test_nothing_listens() -> None:
    with pytest.raises(NotUp, match=r"^nothing listens there$"):
        ask_health("http://127.0.0.1:1", seconds=5)


@pytest.mark.parametrize(
    ("health", "version"),
    [
        (WHOLE, "1.2"),
        ({"status": "ok"}, None),  # it requires a key, or is another program
        ({"status": "ok", "version": "7"}, None),
        ([], None),
    ],
)
def test_a_dragoman_tells_its_version(health: object, version: str | None) -> None:
    with answering(json.dumps(health).encode()) as (url, _):
        assert dragoman_at(url) == version


def test_no_version_where_nothing_listens() -> None:
    assert dragoman_at("http://127.0.0.1:1") is None


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:4000"),
        ("::", "http://[::1]:4000"),
        ("0.0.0.0", "http://127.0.0.1:4000"),
    ],
)
def test_where_this_machine_reaches_it(host: str, url: str) -> None:
    assert url_for(ServerConfig(host=host, port=4000)) == url
