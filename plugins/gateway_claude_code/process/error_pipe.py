"""A process's standard error as a pipe that the process can open again by its name, `/dev/fd/2`.

uvloop 0.23 gives processes sockets, which cannot be opened by that name, and the CLI's debug log goes
to a file (code.claude.com/docs/en/cli-reference, `--debug-file`).
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Final, Self

import anyio

LONGEST_LINE: Final = 1024 * 1024
"""Bytes. The API's sentence is in a line of the debug log, and may quote a schema."""
CHUNK: Final = 64 * 1024


class ErrorPipe:
    """Open it before the process starts. `writing` is the process's end; close it here afterwards."""

    def __init__(
        self, writing: int, reader: asyncio.StreamReader, transport: asyncio.ReadTransport
    ) -> None:
        self.writing = writing
        self._reader = reader
        self._transport = transport

    @classmethod
    async def open(cls) -> Self:
        """Raises `OSError` if too many files are open."""
        descriptor, writing = os.pipe()
        reading = os.fdopen(descriptor, "rb", buffering=0)
        reader = asyncio.StreamReader()
        try:
            # cancelled half-way, uvloop 0.23 closes the descriptor, whose number may be another's
            # by the time that it is closed here
            with anyio.CancelScope(shield=True):
                transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                    lambda: asyncio.StreamReaderProtocol(reader), reading
                )
        except BaseException:
            os.close(writing)
            with contextlib.suppress(OSError):
                reading.close()
            raise
        return cls(writing, reader, transport)

    def close_writing(self) -> None:
        """This side's end for writing, so that the pipe ends with the process."""
        os.close(self.writing)

    def close(self) -> None:
        """Stop reading."""
        self._transport.close()

    async def lines(self) -> AsyncIterator[str]:
        """The lines that are written, each cut at `LONGEST_LINE` bytes.

        With a limit that raises, the rest of a line would be taken for another line; and an unread
        pipe blocks the process.
        """
        line = bytearray()
        while chunk := await self._reader.read(CHUNK):
            *ended, begun = chunk.split(b"\n")
            for part in ended:
                yield _text(line, part)
                line.clear()
            line += begun[: LONGEST_LINE - len(line)]
        if line:
            yield _text(line)


def _text(line: bytearray, part: bytes = b"") -> str:
    whole = line + part[: LONGEST_LINE - len(line)]
    return whole.decode(errors="replace").rstrip()
