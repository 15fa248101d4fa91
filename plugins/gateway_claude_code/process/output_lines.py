"""The lines that a process writes, read no further ahead than they are needed.

The buffer of `asyncio.StreamReader` is bounded by its `limit`, and `readline` needs a limit above the
longest line. A line may contain a whole answer, so with `readline` the buffer would have no bound.
"""

import asyncio
import contextlib
from typing import Final

from gateway.errors import BackendFailed

READ_AHEAD: Final = 128 * 1024
"""Bytes: the `limit` for the reader, which holds up to twice as much."""
LONGEST_LINE: Final = 256 * 1024 * 1024
"""Bytes. A line can hold a whole answer, or a picture of a tool's result."""


class OutputLines:
    """The lines of one reader. A process that writes faster than they are read is blocked."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._rest = bytearray()

    @property
    def ended(self) -> bool:
        """Whether the output has ended and was read to its end."""
        return not self._rest and self._reader.at_eof()

    async def next(self) -> bytes:
        """The next line; the rest at the end of output, then nothing. Raises `BackendFailed`."""
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0 and searched <= LONGEST_LINE:
            searched = len(self._rest)
            if not (chunk := await self._reader.read(READ_AHEAD)):
                end = searched
                break
            self._rest += chunk
        if max(end, searched) > LONGEST_LINE:
            raise BackendFailed("the Claude Code CLI wrote a line that is too long")
        line = bytes(self._rest[: end + 1])
        del self._rest[: end + 1]
        return line

    async def discard(self) -> None:
        """Read to the end: a process cannot exit before its output is written."""
        self._rest.clear()
        with contextlib.suppress(RuntimeError):  # another task reads, and that serves as well
            while await self._reader.read(READ_AHEAD):
                pass
