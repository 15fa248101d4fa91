"""Server-sent events as an ASGI response: prompt, kept alive, and stopped when the client goes.

Framing is that of the HTML standard, "9.2.5 Parsing an event stream": a line beginning with a
colon is a comment, which every client passes over.
"""

import time
from collections.abc import AsyncGenerator, Mapping

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

KEEPALIVE = b": keepalive\n\n"


class EventStreamResponse(Response):
    """Sends what `chunks` yields, as it comes: each chunk one or more whole events.

    After `keepalive_seconds` of silence a comment line goes out. When the client disconnects,
    `chunks` is cancelled; it is closed in every case.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        headers: Mapping[str, str] | None = None,
        keepalive_seconds: float = 15,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.body = b""
        self._chunks = chunks
        self._keepalive_seconds = keepalive_seconds
        self._last_sent = time.monotonic()
        self.init_headers(
            {"cache-control": "no-cache", "x-accel-buffering": "no", **(headers or {})}
        )

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        super().init_headers(headers)
        self.raw_headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._stop_on_disconnect, receive, tasks.cancel_scope)
                tasks.start_soon(self._keep_alive, send)
                await self._pump(send)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self._chunks.aclose()

    async def _pump(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        async for chunk in self._chunks:
            self._last_sent = time.monotonic()
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stop_on_disconnect(self, receive: Receive, scope: anyio.CancelScope) -> None:
        await wait_for_disconnect(receive)
        scope.cancel()

    async def _keep_alive(self, send: Send) -> None:
        while True:
            silent = time.monotonic() - self._last_sent
            if silent >= self._keepalive_seconds:
                await send({"type": "http.response.body", "body": KEEPALIVE, "more_body": True})
                self._last_sent = time.monotonic()
                silent = 0
            await anyio.sleep(self._keepalive_seconds - silent)


async def wait_for_disconnect(receive: Receive) -> None:
    """Return once the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
