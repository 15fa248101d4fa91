"""HTTP/1.1 where uvicorn's protocol does something else: offers of protocols, absolute targets.

Seen with uvicorn 0.54 and httptools 0.9.
"""

import asyncio
import sys
from typing import Any, Final

from httptools import HttpParserUpgrade, HttpRequestParser, parse_url
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.server.joined_writes import JoinedWrites

_FRAMING: Final = (b"content-length", b"transfer-encoding")


class Http1Protocol(HttpToolsProtocol):
    """Ignores `Upgrade`, as a server may (RFC 9110, 7.8).

    Java's own client offers HTTP/2 with each request. The parser takes what follows such a head
    for another protocol; here another parser goes on behind it, as if nothing had been offered.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as uvicorn has them
        super().__init__(*args, **options)
        self._data = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._writes = JoinedWrites(transport, self.loop)
        super().connection_made(self._writes)

    def on_response_complete(self) -> None:
        self._writes.flush()
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        self._data = data
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._believe_target()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            self.on_request_complete()
            super().on_message_complete()

    def on_request_complete(self) -> None:
        """All of a request has come, with its body."""

    def _believe_target(self) -> None:
        """The host of an absolute target counts, and not what `Host` says (RFC 9112, 3.2.2)."""
        if b"://" not in self.url or self.url.startswith(b"/"):
            return
        target = parse_url(self.url)
        port = b"" if target.port is None else b":%d" % target.port
        host = b"[%s]" % target.host if b":" in target.host else target.host
        self.headers[:] = [pair for pair in self.headers if pair[0] != b"host"]
        self.headers.append((b"host", host + port))

    def _unsupported_upgrade_warning(self) -> None:
        """Called by the server when the parser has stopped behind a head with `Upgrade`."""
        stop = sys.exc_info()[1]
        assert isinstance(stop, HttpParserUpgrade)  # noqa: S101 - the server catches this
        rest = self._data[stop.args[0] :]
        lines = (name + b": " + value for name, value in self.headers if name in _FRAMING)
        self.parser = HttpRequestParser(_BehindHead(self))
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join((b"POST / HTTP/1.1", *lines, b"", b"")))
        if rest:
            self._data = rest
            super().data_received(rest)


class _BehindHead:
    """The callbacks of a parser whose first head the protocol has seen already."""

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self._protocol = protocol
        self._is_head_known = True
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete

    def on_message_begin(self) -> None:
        if not self._is_head_known:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_head_known:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_head_known:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._is_head_known:
            self._protocol.on_headers_complete()
        self._is_head_known = False
