"""Limits of a connection that the server itself has none for: half a request, and slow clients.

uvicorn waits for as long as a client likes for its headers and its body, keeps headers of any
size, and holds an answer for a client that never reads it. `limited_protocol` makes its protocol
class one that does not. The server's callbacks are all called first; what is added is counting,
and one timer for what the client has to do next. Seen with uvicorn 0.54 and httptools 0.9.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    RequestResponseCycle,
)

from gateway.config.settings import LimitsConfig
from gateway.errors import (
    GatewayBusy,
    GatewayError,
    HeadersTooLarge,
    InvalidRequest,
    TooSlow,
    URLTooLong,
)
from gateway.http.failures import render_failure
from gateway.http.request_identity import RequestIdentity
from gateway.load.traffic import MONITORS
from gateway.pipeline.gateway import CoreGateway
from gateway.server.http1 import Http1Protocol
from gateway.server.peers import still_waits

log = logging.getLogger("gateway.http")

PATIENCE: Final = 1.5
"""Times `limits.body_seconds`: before that, the application can say properly what is wrong."""

SPILL: Final = 100
"""So many connections over the limit get a proper answer; beyond them there is only a status."""

SPILL_IN_NEED: Final = 1
"""The same, where the system allows fewer open files than there may be connections."""

RETRY_AFTER: Final = 1
"""Seconds. Connections come and go quickly."""

HEADER_FRAMING: Final = 4
"""Bytes of a header besides its name and value: a colon, a blank, and the end of the line."""

LOOK_SECONDS: Final = 0.5
"""How often a client that sends nothing more is checked on while its answer is made."""

END_SECONDS: Final = 1.0
"""A client that ends its side and still reads does so with its request, and not later."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
"""A client passes over any number of these (RFC 9110, 15.2), and one that is gone resets."""


def limited_protocol(gateway: CoreGateway, room: int) -> "type[LimitedProtocol]":
    """The class for `uvicorn.Config(http=…)`; the system has `room` for so many connections."""
    allowed = gateway.config.values.limits.connections

    async def crowded(scope: Scope, receive: Receive, send: Send) -> None:
        raise _crowded(room, allowed)

    class Limited(LimitedProtocol):
        limits = gateway.config.values.limits
        most, allowed_most = room, allowed
        spill = SPILL if room == allowed else SPILL_IN_NEED
        refuse_all = RequestIdentity(crowded, partial(render_failure, gateway))
        render = staticmethod(partial(_render, gateway))

    return Limited


async def _monitors_only(
    app: ASGIApp, refuse_all: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Beyond the limit of connections, a monitor still has to be told that the gateway lives."""
    monitor = scope["type"] == "http" and scope["path"] in MONITORS
    await (app if monitor else refuse_all)(scope, receive, send)


class LimitedProtocol(Http1Protocol):
    """One connection. A subclass says what the limits are and how errors look."""

    limits: LimitsConfig
    most: int
    allowed_most: int
    spill: int
    refuse_all: ASGIApp
    render: Callable[[GatewayError], Response]

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as uvicorn has them
        super().__init__(*args, **options)
        self._waiting: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._refusal: GatewayError | None = None
        self._crowded = self._gone = False
        self._watching: asyncio.TimerHandle | None = None
        self._in_message = self._in_body = False
        self._previous: RequestResponseCycle | None = None
        self._head_bytes = self._head_count = self._unparsed = 0
        self._complete_at = 0.0

    # -- the connection ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        over = len(self.connections) - self.most
        self._crowded = over > 0
        app = partial(_monitors_only, self.app, self.refuse_all) if self._crowded else self.app
        self.app = self._noticing_the_end(app)
        if over == 1:
            log.warning("there are more than %s connections", self.most)
        if over > self.spill:
            self._refuse(_crowded(self.most, self.allowed_most))
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        for timer in (self._waiting, self._sending, self._watching):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _noticing_the_end(self, app: ASGIApp) -> ASGIApp:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            finally:
                # soon, as the server closes the connection after this, if it does
                self.loop.call_soon(self._linger)

        return watched

    # -- reading ----------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unparsed > self.limits.header_bytes:
            self._refuse(self._headers_too_large())
        elif self._waiting is None and self._idle:
            self._wait_for_head()  # the server's timer for idle connections is off by now

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message, self._in_body = True, False
        self._head_bytes = self._head_count = 0
        if self._waiting is None:
            self._wait_for_head()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.limits.url_bytes:
            limit = self.limits.url_bytes
            self._stop(
                URLTooLong(f"The URL is over the limit of {limit} bytes (limits.url_bytes).")
            )

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._unparsed = 0
        self._head_count += 1
        self._head_bytes += len(name) + len(value) + HEADER_FRAMING
        if self._head_bytes > self.limits.header_bytes:
            self._stop(self._headers_too_large())
        if self._head_count > self.limits.header_count:
            limit = self.limits.header_count
            self._stop(
                HeadersTooLarge(f"The request has more than {limit} headers (limits.header_count).")
            )

    def on_headers_complete(self) -> None:
        self._previous = self.cycle
        super().on_headers_complete()
        self._in_body = True
        self._unparsed = 0
        if self._crowded and self.cycle is not None:
            self.cycle.keep_alive = False
        self._wait(self.limits.body_seconds * PATIENCE, self._body_is_late)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._unparsed = 0

    def on_request_complete(self) -> None:
        self._complete_at = self.loop.time()
        self._in_message = False
        self._unparsed = 0
        self._stop_waiting()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends nothing more. It may have gone, or still wait for its answers.

        Returns whether the connection stays open.
        """
        if self.transport.is_closing() or self._idle:
            return False
        self._stop_waiting()
        if self._in_message and not self._drop_behind_another():
            self._refuse(InvalidRequest("The connection ended before the request was complete."))
            return True
        self.cycle.keep_alive = False
        is_late = self.loop.time() > self._complete_at + END_SECONDS
        self._look_for_client(left=is_late and self.cycle.response_started)
        return True

    def _drop_behind_another(self) -> bool:
        """Give up an incomplete request that is behind others, which are answered first."""
        if self._in_body and self.pipeline and self._previous is not None:
            self.pipeline.popleft()
            self.cycle = self._previous
        elif self._in_body or not self._answering:
            return False
        self._in_message = False
        return True

    def _look_for_client(self, *, left: bool = False) -> None:
        """Cut the connection once the client has gone; `left` if that is likely."""
        if self.transport.is_closing() or not self._answering:
            return
        if not self._client_waits(left=left):
            self.transport.abort()
            return
        self._watching = self.loop.call_later(LOOK_SECONDS, self._look_for_client)

    def _client_waits(self, *, left: bool) -> bool:
        if (known := still_waits(self.server, self.client)) is not None:
            return known
        cycle = self.cycle
        if left or cycle.scope["http_version"] == "1.0":
            return False
        if not (cycle.response_started or self.pipeline):
            self.transport.write(CONTINUE)
        return True

    @property
    def _answering(self) -> bool:
        """Whether a request of this connection has not been answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _idle(self) -> bool:
        """Whether neither an answer nor the rest of a request is on its way."""
        return not self._in_message and not self._answering

    def _wait_for_head(self) -> None:
        self._wait(self.limits.header_seconds, self._head_is_late)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_waiting()
        self._waiting = self.loop.call_later(seconds, then)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _head_is_late(self) -> None:
        if self._answering:
            self._wait_for_head()
            return
        if not self._in_message:
            self.transport.close()  # nothing was asked, so there is nobody to answer
            self._linger()
            return
        limit = self.limits.header_seconds
        self._refuse(
            TooSlow(f"The headers were not complete within {limit:g} s (limits.header_seconds).")
        )

    def _body_is_late(self) -> None:
        # it may be the gateway that does not read, or that has another answer to give first
        if self.flow.read_paused or self.pipeline:
            self._wait(self.limits.body_seconds, self._body_is_late)
            return
        self.transport.abort()

    # -- refusing ---------------------------------------------------------------------

    def _headers_too_large(self) -> HeadersTooLarge:
        limit = self.limits.header_bytes
        return HeadersTooLarge(
            f"The headers are over the limit of {limit} bytes (limits.header_bytes)."
        )

    def _stop(self, error: GatewayError) -> None:
        """Within the parser: it gives up, and then `send_400_response` is called."""
        self._refusal = error
        raise error

    def send_400_response(self, msg: str) -> None:
        """Called by the server when the parser gave up."""
        self._refuse(self._refusal or InvalidRequest(f"Invalid HTTP: {msg}"))

    def _refuse(self, error: GatewayError) -> None:
        """Answer without the application, and close."""
        self._stop_waiting()
        if self._answering and not self._take_over():
            self.transport.abort()  # in the middle of another answer
            return
        response = self.render(error)
        response.headers["connection"] = "close"
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        head = b"".join((STATUS_LINE[response.status_code], *lines, b"\r\n"))
        self.transport.write(head + bytes(response.body))
        self.transport.close()
        self._linger()

    def _take_over(self) -> bool:
        """Whether what is wrong is the body of the only request, with nothing answered so far.

        The application, which waits for the rest of it, then hears that the client is gone.
        """
        cycle = self.cycle
        if self.pipeline or cycle.response_started or not cycle.more_body:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return True

    # -- writing ----------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_sending()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._sending is not None and not self.transport.is_closing():
            self._sending.cancel()
            self._sending = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._linger()

    def _linger(self) -> None:
        """What is closed while the client does not read stays open until it is cut."""
        if self.transport.is_closing() and not self._gone:
            self._start_sending()

    def _start_sending(self) -> None:
        if self._sending is None:
            self._sending = self.loop.call_later(self.limits.send_seconds, self._reader_is_stuck)

    def _reader_is_stuck(self) -> None:
        limit = self.limits.send_seconds
        log.info("disconnecting a client that has not read for %s s (limits.send_seconds)", limit)
        self.transport.abort()


def _render(gateway: CoreGateway, error: GatewayError) -> Response:
    """An error about what never became a request."""
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    return gateway.render_error(Request(scope), error)


def _crowded(most: int, allowed: int) -> GatewayBusy:
    limit = "limits.connections" if most == allowed else "open files, see ulimit -n"
    return GatewayBusy(
        f"The gateway has more than {most} connections ({limit}). Try again in a moment.",
        retry_after=RETRY_AFTER,
    )
