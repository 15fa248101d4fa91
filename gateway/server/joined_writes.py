"""Writing to a connection once for all that is ready, and not once for each piece.

A write is a system call, and wakes the client: 5 µs of the processor for a piece of any size. The
server writes the head of an answer and its body one after the other, and a streamed answer often
has several events at once. (asyncio and uvloop 0.23 both write at once whenever they can.)
"""

import asyncio
from typing import Any, Final

MOST_BYTES: Final = 16 * 1024
"""More than this is written at once, so that the transport can tell that its client is slow."""


class JoinedWrites(asyncio.Transport):
    """A transport that holds what is written until the loop's next round, or `flush`."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold these bytes, or write them with those before if they are many."""
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(bytes(data))
        self._size += len(data)
        if self._size > MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held, unless the connection has been lost."""
        if self._held and not self._transport.is_closing():
            self._transport.write(b"".join(self._held))
        self._held.clear()
        self._size = 0

    def close(self) -> None:
        """Close once all is written."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what is held is lost."""
        self._held.clear()
        self._size = 0
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as asyncio has it
        """See `asyncio.BaseTransport`."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """See `asyncio.ReadTransport`."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """See `asyncio.ReadTransport`."""
        self._transport.resume_reading()
