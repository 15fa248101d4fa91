"""More requests than the event loop can answer: some are refused at once, so that the rest is served.

Without that all of them are begun, each waits for all the others, and in the end the clients have
gone before they get anything. `saturation` decides when; this is how they are refused.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Final

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayBusy
from gateway.http.failures import render_failure
from gateway.http.request_identity import RequestIdentity
from gateway.load.saturation import Saturation
from gateway.pipeline.gateway import CoreGateway
from gateway.server.acceptor import Acceptor
from gateway.server.connection_limits import LimitedProtocol

log = logging.getLogger("gateway")

RETRY_AFTER: Final = 1

_BUSY: Final = "The gateway is overloaded. Try again in a moment."


def shedding_protocol(
    gateway: CoreGateway, base: type[LimitedProtocol], acceptor: Acceptor
) -> type[asyncio.Protocol]:
    """The class for `uvicorn.Config(http=…)` that also refuses what is too much."""

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        raise _busy()

    class Shed(SheddingProtocol, base):  # type: ignore[misc,valid-type]
        saturation = gateway.saturation
        accept_more = staticmethod(acceptor.accept_more)
        traffic = gateway.traffic
        busy_app = RequestIdentity(busy, partial(render_failure, gateway))
        quick = staticmethod(_QuickAnswer(gateway).bytes)

    return Shed


class SheddingProtocol(LimitedProtocol):
    """Refuses requests of clients before anything is done with them.

    Most come in one segment. Such a one costs no more than a look at it and an answer that is
    ready; otherwise the refusals themselves would take the time that the others need.
    """

    saturation: Saturation
    traffic: Any
    busy_app: Any
    quick: Callable[[], bytes]
    accept_more: Callable[[asyncio.AbstractEventLoop, Callable[[], asyncio.BaseProtocol]], None]
    _refuse_next = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.accept_more(self.loop, self._another)

    def _another(self) -> asyncio.Protocol:
        return type(self)(self.config, self.server_state, self.app_state, self.loop)

    def data_received(self, data: bytes) -> None:
        too_much = self.saturation.refuses(self.traffic.active)
        if too_much and self._idle and data.startswith(b"POST "):
            self._count()
            if is_whole_request(data):
                self._answer_quickly()
                return
            self._refuse_next = True
        super().data_received(data)

    def _count(self) -> None:
        if not self.saturation.refused:
            log.warning("overloaded: new requests get a 503 (see loop in /health)")
        self.saturation.refused += 1

    def on_headers_complete(self) -> None:
        app = self.app
        if self._refuse_next:
            self.app, self._refuse_next = self.busy_app, False
        super().on_headers_complete()
        self.app = app

    def _answer_quickly(self) -> None:
        self._stop_waiting()
        self._unset_keepalive_if_required()
        self.transport.write(self.quick())
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )


def is_whole_request(data: bytes) -> bool:
    """Whether the bytes are exactly one request whose answer no browser's page has to read."""
    head, found, body = data.partition(b"\r\n\r\n")
    fields = head.lower().split(b"\r\n")[1:]
    lengths = [field[15:].strip() for field in fields if field.startswith(b"content-length:")]
    if not found or len(lengths) != 1 or not lengths[0].isdigit():
        return False
    special = (b"transfer-encoding:", b"origin:", b"connection:", b"expect:", b"upgrade:")
    plain = not any(
        field.startswith(special) and field != b"connection: keep-alive" for field in fields
    )
    return plain and len(body) == int(lengths[0])


def _busy() -> GatewayBusy:
    return GatewayBusy(_BUSY, retry_after=RETRY_AFTER)


class _QuickAnswer:
    """The refusal as bytes; made once, but for the id."""

    def __init__(self, gateway: CoreGateway) -> None:
        self._gateway = gateway

    @cached_property
    def _parts(self) -> tuple[bytes, bytes]:
        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": [],
                 "query_string": b""}  # fmt: skip
        response = self._gateway.render_error(Request(scope), _busy())
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        head = b"HTTP/1.1 503 Service Unavailable\r\n" + b"".join(lines)
        return head, b"\r\n" + response.body

    def bytes(self) -> bytes:
        """Of a whole answer."""
        head, body = self._parts
        return b"%sx-request-id: req_%s\r\n%s" % (head, uuid.uuid4().hex.encode(), body)
