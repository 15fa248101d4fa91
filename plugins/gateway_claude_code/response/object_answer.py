"""Any JSON object as the answer: the object in the model's text, or else the text unchanged."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

import regex

from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    StreamEvent,
    Text,
    ToolCall,
)
from gateway_claude_code.response.answer_form import WHOLE, Complete, parsed
from gateway_claude_code.response.json_text import ValueScanner

# the API has no such mode: the system prompt asks for JSON, and models add fences and words
_AT_ONCE: Final = regex.compile(r"\s*(?:```\w*[ \t]*\r?\n\s*)?(?P<object>\{)")
_LONGEST_START: Final = 1000
# a brace of prose or code has no name after it (RFC 8259, section 4)
_OBJECT: Final = re.compile(r'\{\s*["}]')
_DECODER: Final = json.JSONDecoder()
_MOST_TRIED: Final = 50
_MOST_CUT: Final = 3
"""Places in a text where an object may begin; each can cost a search of the whole text."""


class ObjectAnswer:
    """One JSON object of the model's text, without code fences and words around it.

    An object at the beginning streams. Other text is held until the end, which shows if it has an
    object; if not, it is sent on unchanged.
    """

    satisfied = True  # the CLI does not ask again, as it knows of no form (2.1.330)
    complete: Complete | None = None  # it is checked as it comes

    def __init__(self) -> None:
        self._scanner: ValueScanner | None = None
        self._beginning: str | None = ""
        self._held: list[StreamEvent] = []
        self._texts: set[int] = set()
        self._begun: set[int] = set()
        self._pieces: list[str] = []
        self._changed = False

    @property
    def verbatim(self) -> bool:
        """Whether the text was passed on unchanged."""
        return not self._changed

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """Text is cut down to the object; everything else is sent on unchanged."""
        match event:
            case PartStart(part=Text()):
                self._texts.add(event.index)
                self._held.append(event)
                if self._scanner is not None and not self._scanner.ended:
                    yield from self._begin(event.index)
            case PartDelta(index=index) if index in self._texts:
                yield from self._said(event)
            case PartEnd(index=index) if index in self._texts:
                if index in self._begun and not (self._scanner and self._scanner.ended):
                    yield event
                else:
                    self._held.append(event)
            case PartStart(part=ToolCall()) | ResponseEnd():
                cut = isinstance(event, ResponseEnd) and event.stop_reason not in WHOLE
                yield from self._release(cut=cut)
                yield event
            case _:
                yield event

    def _said(self, event: PartDelta) -> Iterator[StreamEvent]:
        if self._scanner is None:
            self._held.append(event)
            if (start := self._start(event.text)) is None:
                return
            self._scanner = ValueScanner()
            event = replace(event, text=start)
            yield from self._begin(event.index)
        length = self._scanner.feed(event.text)
        if length:
            self._pieces.append(event.text[:length])
            yield replace(event, text=event.text[:length])
        if rest := event.text[length:]:
            self._held.append(replace(event, text=rest))

    def _start(self, text: str) -> str | None:
        """The text from its brace on, if it begins with an object."""
        if self._beginning is None:
            return None
        text, self._beginning = self._beginning + text, None
        match = _AT_ONCE.match(text, partial=True)
        if match is None or (match.partial and len(text) > _LONGEST_START):
            return None
        if match.partial:
            self._beginning = text
            return None
        self._changed = match.start("object") > 0
        return text[match.start("object") :]

    def _begin(self, index: int) -> Iterator[StreamEvent]:
        """Open the text that has the object; text held before it is dropped."""
        self._held.clear()
        self._begun.add(index)
        yield PartStart(index=index, part=Text(text=""))

    def _release(self, *, cut: bool) -> Iterator[StreamEvent]:
        """The rest of the text so far, without the words around an object."""
        held, text = self._held, self._text()
        self._held = []
        if self._scanner is None:
            found = _object_in(text, cut=cut)
            if found is not None and found != text:
                self._changed = True
                held = _one_text(min(self._texts), found)
        elif isinstance(parsed("".join(self._pieces)), dict):
            self._changed |= bool(text)
            held = [event for event in held
                    if isinstance(event, PartEnd) and event.index in self._begun]  # fmt: skip
        self._texts.clear()
        self._beginning = ""
        yield from held

    def _text(self) -> str:
        return "".join(event.text for event in self._held if isinstance(event, PartDelta))


def _one_text(index: int, text: str) -> list[StreamEvent]:
    return [
        PartStart(index=index, part=Text(text="")),
        PartDelta(index=index, text=text),
        PartEnd(index=index),
    ]


def _object_in(text: str, *, cut: bool) -> str | None:
    """The first JSON object in a text; in one that was `cut`, it may be incomplete."""
    starts = [match.start() for match in islice(_OBJECT.finditer(text), _MOST_TRIED)]
    for start in starts:
        try:
            _, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        return text[start:end]
    # cut at the token limit, the object's beginning is still the answer, as it is with OpenAI's API
    for start in starts[:_MOST_CUT] if cut else ():
        scanner = ValueScanner()
        scanner.feed(text[start:])
        if not scanner.ended:
            return text[start:]
    return None
