"""What the tests of the OpenAI frontend share, besides fixtures."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import httpx
from fastapi import FastAPI

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
