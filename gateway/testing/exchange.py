"""One HTTP exchange at the level of ASGI, seen from the server.

A client library that reads whole answers shows neither a client that disconnects nor a status that
is held back.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio

from gateway.task_groups import raising_plainly
from gateway.testing.gateways import Served
from gateway.testing.rules import expect_soon

USER_AGENT: Final = "gateway.testing"
ADDRESS: Final = "127.0.0.1"


class Exchange:
    """A request and its answer so far. `leave` lets the client disconnect.

    `taken` counts the bytes of the body that were read. An exception that comes out of the
    application, which breaks the connection, is in `raised`.
    """

    def __init__(self, body: bytes | Iterator[bytes], content_type: str, seconds: float) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = b""
        self.taken = 0
        self.raised: Exception | None = None
        self.ended = False
        self.leave = anyio.Event()
        self._content_type = content_type
        self._seconds = seconds
        self._all_sent = False
        self._pieces = iter([body]) if isinstance(body, bytes) else body

    @property
    def seen(self) -> str:
        """The answer so far, for a message."""
        if self.raised is not None:
            return f"{self.raised!r} broke the connection"
        body = self.body[:500].decode(errors="replace")
        return f"the answer had the status {self.status} and the body {body!r}"

    def json(self) -> Any:  # noqa: ANN401
        """The body, parsed; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    async def end(self) -> None:
        """Wait for the end of the answer. Raises `Breach` if it doesn't come."""
        await expect_soon(
            lambda: self.ended, self._seconds, "an end of the answer", lambda: self.seen
        )

    async def run(self, served: Served, path: str) -> None:
        """Serve the request."""
        try:
            await served.app(self._scope(path), self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - it is part of what is seen
            self.raised = error
        self.ended = True

    async def _receive(self) -> dict[str, Any]:
        if (piece := next(self._pieces, None)) is not None:
            self.taken += len(piece)
            await anyio.lowlevel.checkpoint()
            return {"type": "http.request", "body": piece, "more_body": True}
        if not self._all_sent:
            self._all_sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        else:
            self.body += message.get("body", b"")

    def _scope(self, path: str) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"content-type", self._content_type.encode()),
                (b"host", b"gateway"),
                (b"user-agent", USER_AGENT.encode()),
            ],
            "client": (ADDRESS, 1),
            "server": ("gateway", 80),
        }


@asynccontextmanager
async def exchanging(
    served: Served,
    path: str,
    body: bytes | Iterator[bytes],
    seconds: float,
    content_type: str = "application/json",
) -> AsyncGenerator[Exchange]:
    """An exchange that goes on meanwhile; what is left of it at the end is cancelled."""
    exchange = Exchange(body, content_type, seconds)
    with raising_plainly():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(exchange.run, served, path)
            try:
                yield exchange
            finally:
                tasks.cancel_scope.cancel()
