"""What happens when the client disconnects, at every stage."""

import json
from typing import Any

import anyio
import pytest

from gateway.testing import ScriptedBackend, text_answer
from tests.openai.openai_support import BuildApp, request_body


class Connection:
    """A client at the level of ASGI, that can hang up."""

    def __init__(self, **fields: object) -> None:
        self._body: bytes | None = json.dumps(request_body(**fields)).encode()
        self.gone = anyio.Event()
        self.sent: list[dict[str, Any]] = []
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": "/v1/chat/completions",
            "raw_path": b"/v1/chat/completions",
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
            "server": ("gateway", 80),
        }

    async def receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if b"Hello" in message.get("body", b""):
            self.gone.set()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("n", [1, 2])
async def test_while_waiting_for_the_first_event(build_app: BuildApp, stream: bool, n: int) -> None:
    connection = Connection(stream=stream, n=n)
    never = anyio.Event()
    backend = ScriptedBackend([never])
    app = build_app(backend)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(app, connection.scope, connection.receive, connection.send)
        while len(backend.requests) < n:
            await anyio.lowlevel.checkpoint()
        connection.gone.set()
    assert backend.closed == n
    assert connection.sent[0]["status"] == 499


@pytest.mark.parametrize("n", [1, 2])
async def test_in_the_middle_of_a_stream(build_app: BuildApp, n: int) -> None:
    connection = Connection(stream=True, n=n)
    start, opening, delta, *_ = text_answer("Hello")
    backend = ScriptedBackend([start, opening, delta, anyio.Event()])
    await build_app(backend)(connection.scope, connection.receive, connection.send)
    assert backend.closed == n
    assert not any(b"[DONE]" in message.get("body", b"") for message in connection.sent)


async def test_in_the_middle_of_a_stream_that_may_be_cut(build_app: BuildApp) -> None:
    connection = Connection(stream=True, stop="\n")
    start, opening, delta, *_ = text_answer("Hello")
    backend = ScriptedBackend([start, opening, delta, anyio.Event()])
    await build_app(backend)(connection.scope, connection.receive, connection.send)
    assert backend.closed == 1
