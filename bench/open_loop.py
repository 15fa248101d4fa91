"""Requests on a schedule of their own, whatever becomes of them: the load that real overload is."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from bench.load import address

MOST_CONNECTIONS: Final = 1500
"""Below the gateway's own `limits.connections`; a request that finds none free was never sent."""


@dataclass(slots=True)
class Outcomes:
    """What became of the requests of one level: seconds of each answer, by kind.

    `served` were answered with 200 and `refused` with a proper 503, that is `gateway_busy` with
    `retry-after`. `failed` has all the others, by what they got.
    """

    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)

    def add(self, head: bytes, body: bytes, seconds: float) -> None:
        """Count one answer."""
        if head.startswith(b"HTTP/1.1 200"):
            self.served.append(seconds)
        elif is_proper_refusal(head, body):
            self.refused.append(seconds)
        else:
            self.fail(head[9:12].decode() or "no status")

    def fail(self, what: str) -> None:
        """Count a request that got no proper answer."""
        self.failed[what] = self.failed.get(what, 0) + 1


def is_proper_refusal(head: bytes, body: bytes) -> bool:
    """Whether an answer is the one that a full gateway has to give."""
    busy = head.startswith(b"HTTP/1.1 503") and b"\r\nretry-after: " in head.lower()
    return busy and b'"gateway_busy"' in body


class Connection(asyncio.Protocol):
    """One answer after the other, each with a `content-length`; any status is an answer."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[tuple[bytes, bytes]] | None = None
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length and self._answer is not None and not self._answer.done():
            self._received = b""
            self.open = self.open and b"\r\nconnection: close" not in head.lower()
            self._answer.set_result((head, body))

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Ask once. Raises `OSError` when the connection is lost."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer


class Generator:
    """Sends requests to one gateway, over connections that are kept."""

    def __init__(self, url: str, make: Callable[[int], bytes], patience: float) -> None:
        self._address = address(url)
        self._make = make
        self._patience = patience
        self._idle: list[Connection] = []
        self._in_use = 0
        self._number = 0

    async def closed_loop(self, clients: int, seconds: float) -> float:
        """Answers per second with so many clients that ask again at once."""
        outcomes = Outcomes()
        end = time.perf_counter() + seconds

        async def client() -> None:
            while time.perf_counter() < end:
                await self._one(outcomes)

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        if outcomes.failed or not outcomes.served:
            raise RuntimeError(f"the saturation could not be measured: {outcomes.failed}")
        return len(outcomes.served) / (time.perf_counter() - began)

    async def open_loop(self, rate: float, seconds: float) -> Outcomes:
        """So many requests per second, evenly spread, and all that they were answered with."""
        outcomes = Outcomes()
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(round(rate * seconds)):
                early = began + number / rate - time.perf_counter()
                if early > 0:
                    await asyncio.sleep(early)
                elif number % 64 == 0:
                    await asyncio.sleep(0)
                tasks.create_task(self._one(outcomes))
        return outcomes

    async def _one(self, outcomes: Outcomes) -> None:
        self._number += 1
        request = self._make(self._number)
        if self._in_use >= MOST_CONNECTIONS:
            outcomes.fail("never sent")
            return
        self._in_use += 1
        began = time.perf_counter()
        connection: Connection | None = None
        try:
            async with asyncio.timeout(self._patience):
                try:
                    connection = await self._connection()
                    head, body = await connection.ask(request)
                except OSError:  # kept, and closed just now: clients ask again on a new one
                    connection = await self._new_connection()
                    head, body = await connection.ask(request)
            outcomes.add(head, body, time.perf_counter() - began)
        except TimeoutError:
            outcomes.fail("no answer in time")
        except OSError:
            outcomes.fail("connection lost")
        else:
            if connection.open:
                self._idle.append(connection)
                connection = None
        finally:
            self._in_use -= 1
            if connection is not None:
                connection.transport.abort()

    async def _connection(self) -> Connection:
        while self._idle:
            if (connection := self._idle.pop()).open:
                return connection
        return await self._new_connection()

    async def _new_connection(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(Connection, *self._address)
        return made

    def close(self) -> None:
        """Close all connections."""
        for connection in self._idle:
            connection.transport.abort()
        self._idle.clear()
