"""What the tests of the OpenAI frontend share, besides fixtures."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import anyio
import httpx
import httpx2
import openai
from fastapi import FastAPI

from gateway.testing import ScriptedBackend

BuildApp: TypeAlias = Callable[..., FastAPI]
Ask: TypeAlias = Callable[..., Coroutine[Any, Any, httpx.Response]]


def http_client(app: FastAPI) -> httpx.AsyncClient:
    """A client of the application itself; what fails in it is seen as the answer it gives."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


def request_body(**fields: object) -> dict[str, object]:
    """A request for `test-model`, with one message unless `fields` has its own."""
    return {"model": "test-model", "messages": [{"role": "user", "content": "Hi"}], **fields}


def sse_data(stream: str) -> list[Any]:
    """The data of each event of a stream, parsed; "[DONE]" stays as it is."""
    events = [event.removeprefix("data: ") for event in stream.split("\n\n") if event]
    return [event if event == "[DONE]" else json.loads(event) for event in events]


def sdk(build_app: BuildApp, backend: ScriptedBackend) -> openai.AsyncOpenAI:
    """The installed SDK, as a client of the application itself."""
    transport = httpx2.ASGITransport(build_app(backend), raise_app_exceptions=False)
    return openai.AsyncOpenAI(
        api_key="unused",
        base_url="http://localhost/v1",
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=transport),
    )


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
