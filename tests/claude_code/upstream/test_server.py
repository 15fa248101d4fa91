"""The stand-in over a real socket on loopback."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import httpx
import pytest

from gateway_claude_code.upstream import (
    Answer,
    Cut,
    Failure,
    Gate,
    MessagesRequest,
    Reply,
    Silence,
    StreamError,
    TextBlock,
    Upstream,
    in_order,
    running_upstream,
    text_answer,
)

pytestmark = pytest.mark.anyio

BODY = {
    "model": "m",
    "max_tokens": 100,
    "stream": True,
    "messages": [{"role": "user", "content": "Hi"}],
}
HELLO = text_answer("Hel", "lo")


@contextmanager
def listening(*replies: Reply) -> Iterator[tuple[Upstream, httpx.Client]]:
    with running_upstream(in_order(*replies)) as upstream, httpx.Client() as client:
        client.base_url = httpx.URL(upstream.url)
        yield upstream, client


def post(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.post("/v1/messages?beta=true", json={**BODY, **changes})


def event_names(response: httpx.Response) -> list[str]:
    lines = response.text.split("\n")
    return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]


def test_an_answer_is_streamed() -> None:
    with listening(HELLO) as (_, client):
        response = post(client)
    assert response.headers["content-type"] == "text/event-stream"
    assert event_names(response) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_an_answer_is_sent_whole_where_no_stream_is_asked_for() -> None:
    with listening(HELLO) as (_, client):
        assert post(client, stream=False).json()["content"] == [{"type": "text", "text": "Hello"}]


def test_a_failure_has_its_status_headers_and_error() -> None:
    failure = Failure(429, "rate_limit_error", "Slow down", {"retry-after": "7"})
    with listening(failure) as (_, client):
        response = post(client)
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json()["error"] == {"type": "rate_limit_error", "message": "Slow down"}


def test_an_error_in_the_stream_takes_the_place_of_the_rest() -> None:
    with listening(StreamError(HELLO, after=2)) as (_, client):
        assert event_names(post(client)) == ["message_start", "content_block_start", "error"]
        assert post(client, stream=False).status_code == 529


@pytest.mark.parametrize("cut", [Cut(), Cut(HELLO, after=3), Silence(HELLO, 3, seconds=0)])
def test_a_cut_drops_the_connection(cut: Reply) -> None:
    with listening(cut) as (_, client), pytest.raises(httpx.RemoteProtocolError):
        post(client)


def test_everything_else_is_not_found() -> None:
    with listening(HELLO) as (upstream, client):
        assert client.head("/").status_code == 404
        assert client.get("/v1/models").json()["error"]["type"] == "not_found_error"
        assert upstream.requests == []


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(content: bytes) -> None:
    with listening(HELLO) as (_, client):
        assert client.post("/v1/messages", content=content).status_code == 400


@pytest.mark.parametrize(
    ("text", "status"), [("\\ud83d", 400), ("\\ude00\\ud83d", 400), ("\\ud83d\\ude00", 200)]
)
def test_half_a_character_is_no_json(text: str, status: int) -> None:
    body = json.dumps({**BODY, "messages": [{"role": "user", "content": "HALF"}]})
    with listening(HELLO) as (_, client):
        answered = client.post("/v1/messages", content=body.replace("HALF", text))
        assert answered.status_code == status
        assert ("no low surrogate" in answered.text) is (status == 400)


def test_requests_are_recorded_in_order_with_their_headers() -> None:
    before = time.monotonic()
    with listening(HELLO) as (upstream, client):
        post(client, model="first")
        post(client, model="second")
    first, second = upstream.requests
    assert (first.model, second.model) == ("first", "second")
    assert before < first.received < second.received
    assert first.headers["host"] == client.base_url.netloc.decode()
    assert first.size > 20


def test_without_recording_nothing_is_kept() -> None:
    with running_upstream(in_order(HELLO), record=False) as upstream:
        assert httpx.post(f"{upstream.url}/v1/messages", json=BODY).status_code == 200
        assert upstream.requests == []


def test_a_script_that_raises_is_an_api_error() -> None:
    def broken(_: MessagesRequest) -> Reply:
        raise LookupError("nothing left")

    with running_upstream(broken) as upstream:
        response = httpx.post(f"{upstream.url}/v1/messages", json=BODY)
    assert response.status_code == 500
    assert "nothing left" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"nonsense\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\ncontent-length: many\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nno colon\r\n\r\n",
        b"x" * 100_000,
    ],
)
def test_what_is_no_request_closes_its_connection_and_no_other(garbage: bytes) -> None:
    with listening(HELLO) as (upstream, client):
        port = httpx.URL(upstream.url).port
        assert port is not None
        with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
            raw.sendall(garbage)
            with suppress(ConnectionResetError):
                assert raw.recv(1) == b""
        assert post(client).status_code == 200


def test_a_large_body_arrives_whole() -> None:
    text = "é" * 300_000
    with listening(HELLO) as (upstream, client):
        post(client, messages=[{"role": "user", "content": text}])
    assert upstream.requests[0].last_user_text == text


def test_a_gate_holds_the_answer_until_another_thread_opens_it() -> None:
    gate = Gate()
    answer = Answer(blocks=(TextBlock("Hello"),), gates={3: gate})
    with (
        listening(answer) as (_, client),
        client.stream("POST", "/v1/messages", json=BODY) as response,
    ):
        lines = response.iter_lines()
        assert gate.reached.wait(5)
        early = [next(lines) for _ in range(6)]
        gate.open()
        late = list(lines)
    assert "event: content_block_start" in early
    assert "event: message_stop" in late


async def test_leaving_breaks_off_what_is_open() -> None:
    gate = Gate()
    with anyio.fail_after(5):
        async with httpx.AsyncClient() as client, anyio.create_task_group() as tasks:
            async with Upstream(in_order(Answer(gates={0: gate}))) as upstream:
                tasks.start_soon(_post_in_vain, client, upstream.url)
                await gate.wait_reached()
            with pytest.raises(RuntimeError):
                _ = upstream.url


async def _post_in_vain(client: httpx.AsyncClient, url: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post(f"{url}/v1/messages", json=BODY)


async def test_an_answer_that_the_client_leaves_is_counted() -> None:
    gate = Gate()
    async with (
        Upstream(in_order(Answer(gates={1: gate}))) as upstream,
        httpx.AsyncClient() as client,
    ):
        async with client.stream("POST", f"{upstream.url}/v1/messages", json=BODY):
            await gate.wait_reached()
            assert upstream.abandoned == 0
        with anyio.fail_after(5):
            while not upstream.abandoned:  # noqa: ASYNC110 - a plain count, for any thread to read
                await anyio.sleep(0.001)
