"""Whole answers on their way to clients that may read slowly, held in as little memory as it takes.

A whole answer can only be sent when its end is there, so all of it has to be held until the client
has read it. An ordinary one has some kilobytes. A text of more than `PACK_BYTES` is put into the
form that it will have in JSON at once, piece by piece, and held compressed.
"""

import math
import re
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.frontend.response.json_text import dump
from gateway.streams import AnswerBuilder
from gateway.types import ChatResponse, PartCitation, PartDelta, PartStart, StreamEvent, WebSearch

PACK_BYTES: Final = 256 * 1024
"""Characters of an answer that are held as they are."""
PIECE_BYTES: Final = 64 * 1024
"""How much is sent at a time, and so unpacked."""
_LEVEL: Final = 1
"""Of zlib: the quickest. A piece takes less than a millisecond."""


def in_pieces(event: StreamEvent) -> Iterable[StreamEvent]:
    """An event, or those that say the same in texts of at most `PIECE_BYTES` characters."""
    if not isinstance(event, PartDelta) or len(event.text) <= PIECE_BYTES:
        return (event,)
    return (
        PartDelta(index=event.index, text=event.text[start : start + PIECE_BYTES])
        for start in range(0, len(event.text), PIECE_BYTES)
    )


class PackedText:
    """A text as it is within a JSON string, compressed; `size` is its length in bytes before."""

    def __init__(self) -> None:
        self.size = 0
        self._packer = zlib.compressobj(_LEVEL)
        self._blocks: list[bytes] = []

    def add(self, text: str) -> None:
        """Add to its end."""
        escaped = dump(text)[1:-1]
        self.size += len(escaped)
        if block := self._packer.compress(escaped):
            self._blocks.append(block)

    def end(self) -> None:
        """Nothing more is added."""
        self._blocks.append(self._packer.flush())

    def pieces(self) -> Iterator[bytes]:
        """The text again, at most `PIECE_BYTES` at a time."""
        unpacker = zlib.decompressobj()
        for block in self._blocks:
            rest = block
            while piece := unpacker.decompress(rest, PIECE_BYTES):
                yield piece
                rest = unpacker.unconsumed_tail


class HeldAnswer:
    """Puts the events of one answer together.

    `packed` has its long texts; the answer that `build` returns has names in their place, random
    ones that no answer can contain. Without `pack` it has all texts, and `packed` is empty. An
    answer with citations is never packed: these say where in the text they belong.
    """

    def __init__(self, *, pack: bool = True) -> None:
        self._pack_bytes = PACK_BYTES if pack else math.inf
        self._builder = AnswerBuilder()
        self._loose: dict[int, int] = {}
        self._parts: dict[int, PackedText] = {}
        self._cites = False
        self.packed: dict[bytes, PackedText] = {}

    def add(self, event: StreamEvent) -> bool:
        """Take the next event; true if it took a while, and others should have a turn now.

        Raises `BackendFailed` for more of a part that never began.
        """
        self._builder.add(event)
        if not isinstance(event, PartDelta):
            self._cites |= _brings_citations(event)
            return False
        held = self._loose.get(event.index, 0) + len(event.text)
        self._loose[event.index] = held
        packs = held > self._pack_bytes and not self._cites
        if packs:
            self._pack(event.index)
        return packs

    @property
    def unpacked(self) -> int:
        """How many characters are held as they are."""
        return sum(self._loose.values())

    def _pack(self, index: int) -> None:
        self._parts.setdefault(index, PackedText()).add(self._builder.take_text(index))
        self._loose[index] = 0

    def build(self) -> ChatResponse:
        """The whole answer; once. Raises `BackendFailed` if its end has not come."""
        for index, text in self._parts.items():
            self._pack(index)
            text.end()
            name = secrets.token_hex(16)
            self.packed[name.encode()] = text
            self._builder.add(PartDelta(index=index, text=name))
        return self._builder.build()


def _brings_citations(event: StreamEvent) -> bool:
    match event:
        case PartCitation() | PartStart(part=WebSearch()):
            return True
        case _:
            return False


class HeldResponse(Response):
    """JSON with names in place of packed texts, which are unpacked as the client reads them."""

    media_type = "application/json"

    def __init__(
        self, body: bytes, packed: Mapping[bytes, PackedText], headers: Mapping[str, str]
    ) -> None:
        names = re.compile(b"(" + b"|".join(packed) + b")")
        self._parts: list[bytes | PackedText] = [
            packed.get(part, part) for part in names.split(body)
        ]
        sizes = (part.size if isinstance(part, PackedText) else len(part) for part in self._parts)
        super().__init__(None, headers={**headers, "content-length": str(sum(sizes))})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        for part in self._parts:
            for piece in part.pieces() if isinstance(part, PackedText) else (part,):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
