"""Halves of characters: lone surrogates, which JSON can write and UTF-8 can't. Pure.

A character beyond U+FFFF is two escapes in JSON (RFC 8259, section 7) and two units in JavaScript's
and Java's strings, where text is easily cut between them: at a limit, or between two deltas.
"""

import re
from collections.abc import Iterator
from typing import Final

from gateway.types import PartDelta, PartEnd, ResponseEnd, StreamEvent

REPLACEMENT: Final = "\ufffd"

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_STEP: Final = 64 * 1024
"""Characters that are searched in one step, as nobody else is served meanwhile."""


def whole_characters(text: str) -> str:
    """The text with halves that belong together joined, and lone ones replaced by U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    whole = _PAIR.sub(_joined, text)
    return "".join(
        REPLACEMENT.join(_SURROGATE.split(whole[start : start + _STEP]))
        for start in range(0, len(whole), _STEP)
    )


def _joined(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


class HalvesJoiner:
    """Joins what a stream has cut: a first half waits for the next delta of its part."""

    def __init__(self) -> None:
        self._waiting: dict[int, str] = {}

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """The events for this one, with whole characters only."""
        match event:
            case PartDelta(index=index, text=text):
                text = self._waiting.pop(index, "") + text
                if text and "\ud800" <= text[-1] <= "\udbff":
                    self._waiting[index], text = text[-1], text[:-1]
                if text:
                    yield PartDelta(index=index, text=whole_characters(text))
            case PartEnd(index=index):
                if self._waiting.pop(index, ""):
                    yield PartDelta(index=index, text=REPLACEMENT)
                yield event
            case ResponseEnd():
                self._waiting.clear()
                yield event
            case _:
                yield event
