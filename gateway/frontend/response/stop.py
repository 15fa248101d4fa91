"""Stop sequences that the backend can't be given: the text is cut here instead.

A model's API may reject a sequence that a client's format allows. Text that may be the beginning
of a sequence is held back until the next delta decides.
"""

import math
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Final

from gateway.streams import AnswerStream
from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    StreamEvent,
    Text,
    ToolCall,
    Usage,
    UsageUpdate,
)

# platform.claude.com/docs/en/about-claude/glossary, "Tokens"
CHARACTERS_PER_TOKEN: Final = 3.5
"""Of English text."""


async def cut_at_stop(
    stream: AnswerStream, sequences: tuple[str, ...]
) -> AsyncGenerator[StreamEvent]:
    """The events of `stream` up to the first stop sequence; there the stream is closed.

    The number of tokens is then no longer reported, and is estimated (`TokensSoFar`).
    """
    cutter, tokens = StopCutter(sequences), TokensSoFar()
    async for event in stream:
        tokens.add(event)
        for passed in cutter.feed(event):
            yield passed
        if cutter.hit is not None:
            await stream.aclose()
            yield UsageUpdate(usage=tokens.usage)
            yield ResponseEnd(stop_reason="stop_sequence", stop_sequence=cutter.hit)
            return


class TokensSoFar:
    """Counts the tokens of an answer that is cut before its end.

    The API reports their number at the end only; until then it is estimated from the length.
    """

    def __init__(self) -> None:
        self._said = Usage()
        self._characters = 0

    def add(self, event: StreamEvent) -> None:
        """Take the next event."""
        match event:
            case UsageUpdate():
                self._said = event.usage
            case PartDelta():
                self._characters += len(event.text)

    @property
    def usage(self) -> Usage:
        """The usage that was reported, with at least as many tokens as the answer so far must have."""
        least = math.ceil(self._characters / CHARACTERS_PER_TOKEN)
        return replace(self._said, output_tokens=max(self._said.output_tokens, least))


class StopCutter:
    """Cuts the text of an answer at the first stop sequence. `hit` is the one that was found.

    Of several, the one that is complete first counts, as if the text came letter by letter: so
    the result does not depend on how the text is divided into deltas, nor into parts: to the client
    all texts are one, so the end of a part may be the beginning of a sequence too.
    """

    def __init__(self, sequences: tuple[str, ...]) -> None:
        self._sequences = sequences
        self._held: dict[int, str] = {}
        self._ended: PartEnd | None = None
        self._rest = ""
        self.hit: str | None = None

    def feed(self, event: StreamEvent) -> list[StreamEvent]:
        """The events to send on for this one."""
        match event:
            case PartStart(part=Text()):
                self._held[event.index], self._rest = self._rest, ""
                return [*self._end_before(), event]
            case PartDelta() if event.index in self._held:
                return self._text(event.index, self._held[event.index] + event.text)
            case PartEnd() if held := self._held.pop(event.index, ""):
                self._ended, self._rest = event, held
                return []
            case ResponseEnd() | PartStart(part=ToolCall()):
                return [*self._end_before(), event]
        return [event]

    def _end_before(self) -> list[StreamEvent]:
        """The end of a text that waited for the next one, with the rest that this did not take."""
        ended, rest = self._ended, self._rest
        self._ended, self._rest = None, ""
        return [] if ended is None else [*_delta(ended.index, rest), ended]

    def _text(self, index: int, text: str) -> list[StreamEvent]:
        if (found := self._find(text)) is not None:
            start, self.hit = found
            return [*_delta(index, text[:start]), PartEnd(index=index)]
        keep = max(_overlap(text, sequence) for sequence in self._sequences)
        self._held[index] = text[len(text) - keep :]
        return _delta(index, text[: len(text) - keep])

    def _find(self, text: str) -> tuple[int, str] | None:
        """Where the sequence that is complete first begins."""
        found = [
            (start + len(sequence), start, sequence)
            for sequence in self._sequences
            if (start := text.find(sequence)) >= 0
        ]
        return min(found)[1:] if found else None


def _delta(index: int, text: str) -> list[StreamEvent]:
    return [PartDelta(index=index, text=text)] if text else []


def _overlap(text: str, sequence: str) -> int:
    """How many characters at the end of `text` may be the beginning of `sequence`."""
    longest = min(len(text), len(sequence) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(sequence[:size])), 0)
