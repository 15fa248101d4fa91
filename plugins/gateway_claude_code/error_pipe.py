"""A process's standard error as a pipe that the process can open again by its name, `/dev/fd/2`.

uvloop gives processes sockets, which have no such name; and the CLI's debug log goes to a file.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Self


class ErrorPipe:
    """Open one before the process is started. `writing` is for the process, and closed here then."""

    def __init__(
        self, writing: int, reader: asyncio.StreamReader, transport: asyncio.ReadTransport
    ) -> None:
        self.writing = writing
        self._reader = reader
        self._transport = transport

    @classmethod
    async def open(cls) -> Self:
        """Raises `OSError` when there are too many files open."""
        reading, writing = os.pipe()
        reader = asyncio.StreamReader()
        try:
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", buffering=0)
            )
        except BaseException:
            os.close(writing)
            raise
        return cls(writing, reader, transport)

    def close_writing(self) -> None:
        """This side's end for writing, so that the pipe ends with the process."""
        os.close(self.writing)

    def close(self) -> None:
        """Stop reading."""
        self._transport.close()

    async def lines(self) -> AsyncIterator[str]:
        """What is written, by lines. One that is too long for the buffer is left out."""
        while True:
            try:
                raw = await self._reader.readline()
            except ValueError:
                continue
            if not raw:
                return
            yield raw.decode(errors="replace").rstrip()
