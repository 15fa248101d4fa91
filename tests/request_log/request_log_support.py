"""Rows, sinks and gateways for the tests of the request log."""

import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx

from gateway.http.app import create_app
from gateway.testing import build
from gateway_request_log.row import Answered, Row

ECHO = {"m": {"backend": "echo"}}


def row(**values: Any) -> Row:
    usual: dict[str, Any] = {
        "time": "2026-01-02T03:04:05.678+00:00",
        "request_id": "req_1",
        "key": None,
        "client": "a client",
        "model": "m",
        "backend": "echo",
        "backend_model": "m-1",
        "status": "completed",
        "finish_reason": "end",
        "queue_ms": 1.0,
        "asked_ms": 2.0,
        "first_token_ms": 30.0,
        "total_ms": 400.0,
        "input_tokens": 10,
        "output_tokens": 5,
        "cached_tokens": 4,
        "reasoning_tokens": 1,
        "tools_offered": 0,
        "tool_calls": 0,
        "error_code": None,
        "error_message": None,
    }
    return Row(**{**usual, **values})


def answered(request_id: str = "req_1", **values: Any) -> Answered:
    """What a row is made of."""
    usual: dict[str, Any] = {
        "arrived": 1_767_323_045.678,
        "key": None,
        "client": "a client",
        "model": "m",
        "tools_offered": 0,
        "target": None,
        "timings": {},
        "status": "completed",
        "finish_reason": "end",
        "backend_model": "m-1",
        "duration": 0.4,
        "first_token": 0.03,
        "tool_calls": 0,
        "usage": None,
    }
    return Answered(request_id=request_id, **{**usual, **values})


class ListSink:
    """A sink that keeps what it is given, and fails as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.rows: list[Row] = []
        self.batches: list[int] = []
        self.closed = False

    def write(self, rows: Sequence[Row]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(len(rows))
        self.rows += rows

    def close(self) -> None:
        self.closed = True


def read(path: Path, query: str = "SELECT * FROM requests ORDER BY id") -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(found) for found in connection.execute(query)]


@asynccontextmanager
async def serving(
    folder: Path, *plugins: object, section: object = True, models: Any = None, **sections: object
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a gateway that serves; the Claude Code backend takes no part."""
    config: dict[str, object] = {"plugins": {"request_log": section, **sections}}
    if models is not None:
        config["models"] = models
    app = create_app(build(folder, *plugins, config=config, disabled=["claude_code"]))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


async def ask(client: httpx.AsyncClient, text: str = "Hi", **fields: Any) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    return await client.post("/v1/chat/completions", json=body)
