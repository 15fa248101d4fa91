"""Event streams over ASGI: what is sent, kept alive, stopped and closed."""

from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest
from starlette.types import Message

from gateway.frontend.response import live_response
from gateway.frontend.response.disconnect import wait_for_disconnect
from gateway.frontend.response.live_response import LiveResponse

KEEPALIVE = b": keepalive\n\n"
AT_ONCE = 1e-9
"""A silence that is over as soon as anything else had its turn."""


def streamed(chunks: AsyncGenerator[bytes], **options: Any) -> LiveResponse:
    """A response of server-sent events."""
    return LiveResponse(
        chunks, media_type="text/event-stream", keepalive=lambda: KEEPALIVE, **options
    )


class Connection:
    """The server's side of one request."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.gone = anyio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        self.sent.append(message)

    async def serve(self, response: LiveResponse) -> None:
        await response({"type": "http"}, self.receive, self.send)

    @property
    def bodies(self) -> list[bytes]:
        return [message["body"] for message in self.sent[1:]]


class Chunks:
    """A generator of chunks that tells what became of it. An event is waited for."""

    def __init__(self, *steps: bytes | anyio.Event | Exception) -> None:
        self._steps = steps
        self.began = self.ended = False

    async def __call__(self) -> AsyncGenerator[bytes]:
        self.began = True
        try:
            for step in self._steps:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, anyio.Event):
                    await step.wait()
                else:
                    yield step
        finally:
            self.ended = True


@pytest.fixture
def connection() -> Connection:
    return Connection()


async def test_chunks_are_sent_as_they_come(connection: Connection) -> None:
    chunks = Chunks(b"data: 1\n\n", b"data: 2\n\n")
    await connection.serve(streamed(chunks()))
    assert connection.bodies == [b"data: 1\n\n", b"data: 2\n\n", b""]
    assert [message["more_body"] for message in connection.sent[1:]] == [True, True, False]
    assert chunks.ended


async def test_headers(connection: Connection) -> None:
    await connection.serve(streamed(Chunks()(), headers={"x-mine": "1"}))
    assert connection.sent[0]["status"] == 200
    assert dict(connection.sent[0]["headers"]) == {
        b"cache-control": b"no-cache",
        b"x-accel-buffering": b"no",
        b"x-mine": b"1",
        b"content-type": b"text/event-stream; charset=utf-8",
    }


async def test_nothing_but_the_end_of_an_empty_stream(connection: Connection) -> None:
    await connection.serve(streamed(Chunks()()))
    assert connection.bodies == [b""]


async def test_silence_is_bridged_by_comments(connection: Connection) -> None:
    enough = anyio.Event()

    async def send(message: Message) -> None:
        await Connection.send(connection, message)
        if connection.bodies.count(KEEPALIVE) > 1:
            enough.set()

    response = streamed(Chunks(b"data: 1\n\n", enough, b"data: 2\n\n")(), keepalive_seconds=AT_ONCE)
    with anyio.fail_after(5):
        await response({"type": "http"}, connection.receive, send)
    chunks = [body for body in connection.bodies if body != KEEPALIVE]
    assert chunks == [b"data: 1\n\n", b"data: 2\n\n", b""]
    assert connection.bodies[-1] == b""


async def test_no_comment_comes_while_a_chunk_is_being_sent(connection: Connection) -> None:
    response = streamed(Chunks(b"data: 1\n\n")(), keepalive_seconds=AT_ONCE)
    sending = False

    async def send(message: Message) -> None:
        nonlocal sending
        assert not sending
        sending = True
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        sending = False
        connection.sent.append(message)

    await response({"type": "http"}, connection.receive, send)
    assert connection.bodies[-1] == b""


async def test_no_comment_comes_before_the_headers(connection: Connection) -> None:
    response = streamed(Chunks(b"data: 1\n\n")(), keepalive_seconds=AT_ONCE)

    async def send(message: Message) -> None:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        connection.sent.append(message)

    await response({"type": "http"}, connection.receive, send)
    assert connection.sent[0]["type"] == "http.response.start"


async def test_a_client_that_goes_stops_the_generator(connection: Connection) -> None:
    chunks = Chunks(b"data: 1\n\n", anyio.Event())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connection.serve, streamed(chunks()))
        await anyio.wait_all_tasks_blocked()
        assert not chunks.ended
        connection.gone.set()
    assert chunks.ended
    assert connection.bodies == [b"data: 1\n\n"]


async def test_a_client_that_was_gone_before_leaves_nothing_open(connection: Connection) -> None:
    """A generator that never began would not close what it holds."""
    connection.gone.set()
    chunks = Chunks(anyio.Event())
    await connection.serve(streamed(chunks()))
    assert (chunks.began, chunks.ended) == (True, True)


async def test_cancellation_closes_the_generator(connection: Connection) -> None:
    chunks = Chunks(b"data: 1\n\n", anyio.Event())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connection.serve, streamed(chunks()))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert chunks.ended


async def test_a_failure_comes_out_as_it_is(connection: Connection) -> None:
    chunks = Chunks(b"data: 1\n\n", KeyError("x"))
    with pytest.raises(KeyError):
        await connection.serve(streamed(chunks()))
    assert chunks.ended
    assert connection.bodies == [b"data: 1\n\n"]


async def test_a_failure_to_send_closes_the_generator(connection: Connection) -> None:
    chunks = Chunks(b"data: 1\n\n", anyio.Event())

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await streamed(chunks())({"type": "http"}, connection.receive, send)
    assert chunks.ended


async def stubborn(what: Any) -> AsyncGenerator[bytes]:
    try:
        yield b"data: 1\n\n"
        yield b"data: 2\n\n"
    finally:
        await what()


async def stop_after_one(message: Message) -> None:
    if message.get("body"):
        raise OSError("gone")


async def test_closing_that_hangs_is_given_up(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live_response, "CLOSE_SECONDS", 0)
    response = streamed(stubborn(anyio.sleep_forever))
    with pytest.raises(OSError, match="gone"):
        await response({"type": "http"}, connection.receive, stop_after_one)
    assert "did not close within 0 s" in caplog.text


async def test_closing_that_fails_is_logged(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(OSError, match="gone"):
        await streamed(stubborn(fail))({"type": "http"}, connection.receive, stop_after_one)
    assert "closing a streamed answer failed" in caplog.text


async def test_waiting_for_a_disconnect_passes_over_the_rest() -> None:
    messages = [{"type": "http.request"}, {"type": "http.request"}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return messages.pop(0)

    await wait_for_disconnect(receive)
    assert messages == []
