"""A load generator on raw sockets: prepared bytes out, as little as possible looked at coming in."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import urlsplit

LATE_SECONDS: Final = 0.25


def address(url: str) -> tuple[str, int]:
    """The host and the port of a URL."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80


def request_bytes(url: str, body: bytes) -> bytes:
    """A whole HTTP request."""
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Whole(asyncio.Protocol):
    """A connection for one answer after the other, each of a `content-length`."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length or self._answer is None:
            return
        self._received = b""
        if head.startswith(b"HTTP/1.1 200"):
            self._answer.set_result(None)
        else:
            self._answer.set_exception(RuntimeError(head.decode()))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or RuntimeError("the connection was closed"))

    async def ask(self, request: bytes) -> float:
        """Ask once; the seconds that it took."""
        self._answer = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        self.transport.write(request)
        await self._answer
        return time.perf_counter() - started


async def connect(url: str) -> Whole:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Whole, *address(url))
    return connection


async def as_many_as_go(url: str, body: bytes, connections: int, seconds: float) -> float:
    """Requests per second with so many connections that never rest."""
    request = request_bytes(url, body)
    open_ = [await connect(url) for _ in range(connections)]
    end = time.perf_counter() + seconds

    async def keep_asking(connection: Whole) -> int:
        count = 0
        while time.perf_counter() < end:
            await connection.ask(request)
            count += 1
        connection.transport.close()
        return count

    started = time.perf_counter()
    counts = await asyncio.gather(*map(keep_asking, open_))
    return sum(counts) / (time.perf_counter() - started)


async def at_rate(url: str, body: bytes, rate: float, seconds: float) -> list[float]:
    """The seconds of each answer, with requests on a fixed schedule whatever the answers do."""
    request = request_bytes(url, body)
    idle = [await connect(url) for _ in range(10)]
    taken: list[float] = []

    async def one() -> None:
        connection = idle.pop() if idle else await connect(url)
        taken.append(await connection.ask(request))
        idle.append(connection)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(started + number / rate - time.perf_counter(), 0))
            tasks.create_task(one())
    for connection in idle:
        connection.transport.close()
    return taken


@dataclass
class Streamed(asyncio.Protocol):
    """A connection for one streamed answer: its deltas counted, and those that came late."""

    request: bytes
    every: float
    deltas: int = 0
    late: int = 0
    ended: bool = False
    worst: float = 0
    _last: float = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _rest: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        whole, _, self._rest = data.rpartition(b"\n\n")
        number = whole.count(b'"content":"x')
        if number:
            now = time.perf_counter()
            if self._last:
                gap = now - self._last - self.every
                self.worst = max(self.worst, gap)
                self.late += number if gap > LATE_SECONDS else 0
            self._last = now
            self.deltas += number
        if b"[DONE]" in data:
            self.ended = True
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


async def streams(url: str, body: bytes, number: int, every: float) -> list[Streamed]:
    """So many streamed answers at once, to their ends."""
    request = request_bytes(url, body)
    loop = asyncio.get_running_loop()
    opened = []
    for _ in range(number):
        make = lambda: Streamed(request, every)  # noqa: E731
        _, stream = await loop.create_connection(make, *address(url))
        opened.append(stream)
        await asyncio.sleep(every / number)
    await asyncio.gather(*(stream.closed.wait() for stream in opened))
    return opened
