"""The part of HTTP/1.1 that the stand-in's few clients use, over one connection.

Not left to an ASGI server, because the stand-in must be able to abort in mid-stream, and to close
at once although clients keep their connections open.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import anyio
from anyio.abc import ByteStream

_HEAD_LIMIT = 64 * 1024

GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)
"""Raised once the peer has closed the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request with its whole body; `path` without the query, `headers` in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class ProtocolError(Exception):
    """The bytes are not an HTTP request that is understood here."""


class Connection:
    """One client's connection. Methods raise one of `GONE` when the client has left."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._received = bytearray()

    async def read_request(self) -> HttpRequest:
        """The next request. Raises `ProtocolError` on anything without a plain length."""
        head = await self._read_head()
        request_line, *lines = head.split("\r\n")
        try:
            method, target, _ = request_line.split(" ")
            headers = dict(_header(line) for line in lines if line)
            length = int(headers.get("content-length", "0"))
        except ValueError as error:
            raise ProtocolError(request_line) from error
        if "transfer-encoding" in headers:
            raise ProtocolError("a body without content-length")
        while len(self._received) < length:
            await self._receive()
        body = bytes(self._received[:length])
        del self._received[:length]
        path = target.partition("?")[0]
        return HttpRequest(method=method, path=path, headers=headers, body=body)

    async def _read_head(self) -> str:
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            if len(self._received) > _HEAD_LIMIT:
                raise ProtocolError("the head is too long")
            await self._receive()
        head = self._received[:end].decode("latin-1")
        del self._received[: end + 4]
        return head

    async def _receive(self) -> None:
        self._received += await self._stream.receive()

    async def wait_until_gone(self) -> None:
        """Return once the client has closed. Bytes that it sends until then are kept for later."""
        try:
            while True:
                await self._receive()
        except GONE:
            return

    async def send_json(
        self, status: int, body: object, headers: Mapping[str, str], *, bodiless: bool = False
    ) -> None:
        """Send a whole response; `bodiless` for HEAD."""
        content = json.dumps(body, ensure_ascii=False).encode()
        sizes = {"content-type": "application/json", "content-length": str(len(content))}
        head = _head(status, {**sizes, **headers})
        await self._stream.send(head if bodiless else head + content)

    async def start_stream(self, headers: Mapping[str, str]) -> None:
        """Send the head of a stream of events."""
        framing = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
        await self._stream.send(_head(200, {**framing, **headers}))

    async def send_chunk(self, data: bytes) -> None:
        """Send a part of the stream; an empty one ends it."""
        await self._stream.send(b"%x\r\n%s\r\n" % (len(data), data))


def _header(line: str) -> tuple[str, str]:
    name, separator, value = line.partition(":")
    if not separator:
        raise ValueError(line)
    return name.strip().lower(), value.strip()


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Status"
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{''.join(lines)}\r\n".encode("latin-1")
