"""The backend's answer: the last text of the user, in pieces. Pure but for the pauses."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import pairwise
from typing import Final

import anyio
from pydantic import BaseModel, ConfigDict, Field

from gateway.types import (
    Message,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StreamEvent,
    Text,
    Usage,
    UsageUpdate,
)

LONGEST_PIECE: Final = 1 << 16
"""Characters."""


class EchoOptions(BaseModel):
    """The `options` of a model: into how many pieces, and how many seconds lie between two."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chunks: int = Field(default=1, ge=1)
    delay: float = Field(default=0, ge=0)


def last_text(messages: Sequence[Message]) -> str:
    """The text of the user's last message that has one; its parts are joined by line ends."""
    for message in reversed(messages):
        texts = [part.text for part in message.parts if isinstance(part, Text)]
        if message.role == "user" and texts:
            return "\n".join(texts)
    return ""


def pieces(text: str, number: int) -> Iterator[str]:
    """Cut a text into so many pieces of nearly the same length, or as many as it has characters.

    A very long one into more: each piece is encoded in one step. One after another, as a reader
    may be slow.
    """
    number = min(max(number, len(text) // LONGEST_PIECE + 1), len(text))
    if number == 1:
        return iter((text,))
    cuts = (len(text) * index // number for index in range(number + 1)) if number else ()
    return (text[start:end] for start, end in pairwise(cuts))


async def echo(model: str, text: str, options: EchoOptions) -> AsyncGenerator[StreamEvent]:
    """The events of the answer. It costs no tokens, and says so."""
    yield ResponseStart(model=model)
    yield PartStart(index=0, part=Text(text=""))
    for number, piece in enumerate(pieces(text, options.chunks)):
        if number and options.delay:
            await anyio.sleep(options.delay)
        yield PartDelta(index=0, text=piece)
    yield PartEnd(index=0)
    yield UsageUpdate(usage=Usage())
    yield ResponseEnd(stop_reason="end")
