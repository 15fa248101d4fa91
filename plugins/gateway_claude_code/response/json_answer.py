"""Answers in JSON: the model's structured output, or its prose, as the requested text.

With a schema that does not fit the API's own structured output (`native_answer`) the answer is
the input of the CLI's tool `StructuredOutput`, and streams as the text of the answer. The model
is free to call it. Prose is held back: before the JSON it would make it invalid, and only the end of
the answer shows if there is nothing but prose. The CLI then asks once more by itself (seen with
2.1.197 and 2.1.330; doctor: structured_output).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Protocol

from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseFormat,
    StreamEvent,
    Text,
    ToolCall,
)
from gateway_claude_code.request.answer_schemas.answer_schema import WRAPPER, AnswerSchema
from gateway_claude_code.response.answer_form import (
    NO_JSON,
    NOT_AS_ASKED,
    WHOLE,
    Complete,
    not_as_asked,
    parsed,
)
from gateway_claude_code.response.json_text import ValueCutter
from gateway_claude_code.response.native_answer import NativeAnswer
from gateway_claude_code.response.object_answer import ObjectAnswer

__all__ = [
    "NOT_AS_ASKED",
    "OUTPUT",
    "JsonAnswer",
    "NativeAnswer",
    "ObjectAnswer",
    "SchemaAnswer",
    "json_answer",
]

OUTPUT: Final = "(structured output)"
"""The name of the structured output among the model's calls; no client's tool can have it."""

_WRAPPED: Final = re.compile(rf'\{{\s*"{WRAPPER}"\s*:\s*(?P<value>\S)')
# the schema is the tool's alone, so JSON in prose may be in a code fence
_FENCED: Final = re.compile(r"\s*```\w*\s*\n(.*)\n\s*```\s*", re.DOTALL)


class JsonAnswer(Protocol):
    """From a model's events to those of an answer in JSON."""

    complete: Complete | None
    """The answer to check before it may end: set with `ResponseEnd`."""

    @property
    def satisfied(self) -> bool:
        """Whether the events so far may be the whole answer."""

    @property
    def verbatim(self) -> bool:
        """Whether exactly what the model said was sent on."""

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """The events to send on for this one. Raises `BackendFailed` for an answer of another form."""


def json_answer(
    form: ResponseFormat, schema: AnswerSchema | None, *, native: bool = False
) -> JsonAnswer | None:
    """The reader for the answer's form; None for plain text.

    `native`: the request has `output_config.format`, of a schema that fits.
    """
    if schema is not None:
        if native and schema.format is not None:
            return NativeAnswer(schema.format, schema.checked)
        return SchemaAnswer(schema)
    return ObjectAnswer() if form.kind == "json_object" else None


class SchemaAnswer:
    """The structured output as text, checked against the schema when it is complete."""

    def __init__(self, schema: AnswerSchema) -> None:
        self.complete: Complete | None = None
        self._schema = schema
        self._cutter = ValueCutter(_WRAPPED) if schema.wrapped else None
        self._held: list[StreamEvent] = []
        self._prose: set[int] = set()
        self._output: int | None = None
        self._dropped: set[int] = set()
        self._pieces: list[str] = []
        self._calls = False

    @property
    def satisfied(self) -> bool:
        """Whether there is an output, a call of a tool, or prose that is valid as the output."""
        return self._output is not None or self._calls or self._from_prose() is not None

    @property
    def verbatim(self) -> bool:
        """Whether the model called tools and gave no output: then its prose was sent on unchanged."""
        return self._calls and self._output is None

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """Prose waits; the output is sent on as text; calls of other tools unchanged."""
        match event:
            case PartStart():
                yield from self._start(event)
            case PartDelta(index=index) | PartEnd(index=index) if index in self._prose:
                self._held.append(event)
            case PartDelta(index=index) | PartEnd(index=index) if index in self._dropped:
                return
            case PartDelta() if event.index == self._output:
                yield from self._more(event.index, event.text)
            case PartEnd() if event.index == self._output:
                # the API sends no more than an empty piece for a call without input
                if not self._pieces and self._cutter is None:
                    yield from self._more(event.index, "{}")
                yield event
            case ResponseEnd():
                yield from self._end(event)
            case _:
                yield event

    def _start(self, event: PartStart) -> Iterator[StreamEvent]:
        match event.part:
            case Text():
                self._prose.add(event.index)
                self._held.append(event)
            case ToolCall(name=name) if name == OUTPUT:
                self._held.clear()
                # a second output is the model's correction, or a repetition: the first was sent on
                if self._output is not None:
                    self._dropped.add(event.index)
                    return
                self._output = event.index
                yield replace(event, part=Text(text=""))
            case ToolCall():
                self._calls = True
                yield from self._release()
                yield event
            case _:
                yield event

    def _more(self, index: int, text: str) -> Iterator[StreamEvent]:
        if self._cutter is not None:
            text = self._cutter.feed(text)
        self._pieces.append(text)
        if text:
            yield PartDelta(index=index, text=text)

    def _end(self, event: ResponseEnd) -> Iterator[StreamEvent]:
        reason = event.stop_reason
        if self._output is not None:
            self._held.clear()
            if reason in WHOLE:
                self._completed("".join(self._pieces))
            # the output is a call to the API, and the answer's end to the client
            if reason == "tool_calls" and not self._calls:
                event = replace(event, stop_reason="end")
        elif reason == "end" and not self._calls:
            if (text := self._from_prose()) is None:
                raise not_as_asked("it is prose")
            self._completed(text)
            yield from self._instead(text)
        yield from self._release()
        yield event

    def _completed(self, text: str) -> None:
        self.complete = Complete(text=text, schema=self._schema.checked)

    def _release(self) -> Iterator[StreamEvent]:
        held, self._held = self._held, []
        yield from held

    def _instead(self, text: str) -> Iterator[StreamEvent]:
        """One text in place of the prose that was held."""
        index = min(self._prose)
        self._held = [
            PartStart(index=index, part=Text(text="")),
            PartDelta(index=index, text=text),
            PartEnd(index=index),
        ]
        yield from self._release()

    def _from_prose(self) -> str | None:
        """The prose as JSON of the schema, without a code fence; None for other prose."""
        text = "".join(event.text for event in self._held if isinstance(event, PartDelta))
        if fenced := _FENCED.fullmatch(text):
            text = fenced[1]
        value = parsed(text)
        # the model knows the wrapped schema only, also in prose
        if self._schema.wrapped and isinstance(value, dict) and set(value) == {WRAPPER}:
            value = value[WRAPPER]
            text = json.dumps(value, ensure_ascii=False)
        if value is NO_JSON:
            return None
        checked = self._schema.checked
        if checked.may_check_now(len(text)) and checked.problem(value) is not None:
            return None
        return text.strip()
