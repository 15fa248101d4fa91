"""Clients of `bench.own_cost`: each asks again as soon as it has its answer, whole or streamed."""

import asyncio
import time
from typing import Final, cast

from bench.load import address, request_bytes

_LAST_CHUNK: Final = b"0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One answer after the other, each of a `content-length` or in chunks."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._answer is None or self._answer.done() or not is_complete(self._received):
            return
        received, self._received = self._received, b""
        if received.startswith(b"HTTP/1.1 200"):
            self._answer.set_result(None)
        else:
            self._answer.set_exception(RuntimeError(received[:800].decode(errors="replace")))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or RuntimeError("the connection was closed"))

    async def ask(self, request: bytes) -> float:
        """Ask once; the seconds until the end of the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        self.transport.write(request)
        await self._answer
        return time.perf_counter() - started


def is_complete(received: bytes) -> bool:
    """Whether the bytes of an answer include its end."""
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return False
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return len(body) >= int(length) if length else body.endswith(_LAST_CHUNK)


async def ask_again_and_again(
    url: str, body: bytes, clients: int, seconds: float, least: int = 0
) -> list[float]:
    """The seconds of each answer, with so many clients that never rest; `least` answers at least."""
    request = request_bytes(url, body)
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(Connection, *address(url)))[1] for _ in range(clients)]
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def keep_asking(connection: Connection) -> None:
        while time.perf_counter() < end or len(taken) < least:
            taken.append(await connection.ask(request))
        connection.transport.close()

    await asyncio.gather(*map(keep_asking, opened))
    return taken
