"""Asking a gateway for one of its models, and what else may answer there."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from gateway.client.health import NotUp
from gateway_terminal.server_call import Rejected, ServerCall

ANSWERS = {
    "/v1/models/org/big": (200, b'{"id": "org/big"}'),
    "/v1/models/a%20b": (200, b'{"id": "a b"}'),
    "/v1/models/none": (404, b'{"error": {"message": "The model does not exist."}}'),
    "/v1/models/page": (200, b"<html>"),
    "/v1/models/list": (200, b"[]"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the path."""

    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["org/big", "a b"])
def test_a_model_by_its_name(name: str, url: str) -> None:
    assert ServerCall(url, None).model(name) == {"id": name}


def test_a_refusal_has_the_gateway_s_own_words(url: str) -> None:
    with pytest.raises(Rejected, match="The model does not exist") as refused:
        ServerCall(url, "dgm-key").model("none")
    assert refused.value.status == 404


@pytest.mark.parametrize("name", ["page", "list"])
def test_another_server_is_no_gateway(name: str, url: str) -> None:
    with pytest.raises(NotUp, match="it is not Dragoman"):
        ServerCall(url, None).model(name)


def test_where_nothing_listens(url: str) -> None:
    with pytest.raises(NotUp):
        ServerCall("http://127.0.0.1:1", None).model("a")
