"""A stream as an ASGI response: sent at once, kept alive, and stopped when the client disconnects."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.frontend.response.companion_tasks import CompanionTasks
from gateway.frontend.response.disconnect import wait_for_disconnect

log = logging.getLogger("gateway.frontend")

CLOSE_SECONDS = 30
"""For closing `chunks`; more than the stream inside takes to give up on its backend."""


class LiveResponse(Response):
    """Sends each chunk as soon as `chunks` yields it: one or more whole events or lines.

    After `keepalive_seconds` of silence the result of `keepalive` is sent. When the client
    disconnects, `chunks` is cancelled. It is begun and closed in every case, even if the client
    has gone before anything was sent: a generator that never began would not run its `finally`.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        *,
        media_type: str,
        keepalive: Callable[[], bytes],
        headers: Mapping[str, str] | None = None,
        keepalive_seconds: float = 15,
    ) -> None:
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.body = b""
        self._chunks = chunks
        self._keepalive = keepalive
        self._keepalive_seconds = keepalive_seconds
        self._last_sent = time.monotonic()
        self._begun = asyncio.Event()
        self._sending = asyncio.Lock()
        self.init_headers(
            {"cache-control": "no-cache", "x-accel-buffering": "no", **(headers or {})}
        )

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        super().init_headers(headers)
        self.raw_headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = partial(wait_for_disconnect, receive)
        try:
            with CompanionTasks(gone, partial(self._begin_and_keep_alive, send)):
                await self._pump(send)
        finally:
            await self._close()

    async def _pump(self, send: Send) -> None:
        # Nothing may be awaited before the generator, see above.
        async for chunk in self._chunks:
            if not self._begun.is_set():
                await self._begun.wait()
            await self._send(send, chunk, more=True)
        await self._begun.wait()
        await self._send(send, b"", more=False)

    async def _send(self, send: Send, body: bytes, *, more: bool) -> None:
        async with self._sending:
            await send({"type": "http.response.body", "body": body, "more_body": more})
            self._last_sent = time.monotonic()

    async def _begin_and_keep_alive(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        self._last_sent = time.monotonic()
        self._begun.set()
        while True:
            silent = time.monotonic() - self._last_sent
            if silent < self._keepalive_seconds:
                await anyio.sleep(self._keepalive_seconds - silent)
            elif self._sending.locked():  # the client is slow, which is no silence of ours
                await anyio.sleep(self._keepalive_seconds)
            else:
                await self._send(send, self._keepalive(), more=True)

    async def _close(self) -> None:
        with anyio.move_on_after(CLOSE_SECONDS, shield=True) as scope:
            try:
                await self._chunks.aclose()
            except Exception:
                log.exception("closing a streamed answer failed")
        if scope.cancelled_caught:
            log.error("a streamed answer did not close within %s s", CLOSE_SECONDS)
