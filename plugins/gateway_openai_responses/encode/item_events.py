"""The events of one item while it arrives: opened, its pieces, and closed, in the order of the API.

Deltas are most of the work, so the JSON around them is built once per item, not once per delta.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.frontend import dump
from gateway.types import AnswerPart, Citation, PartEnd, Text, Thinking, ToolCall, WebSearch
from gateway_openai_responses.encode.items import (
    PREFIXES,
    ItemStatus,
    call_item,
    message_item,
    reasoning_item,
    refusal_part,
    search_item,
    text_part,
    url_citation,
    visible,
)
from gateway_openai_responses.encode.response import ResponseForm
from gateway_openai_responses.string_argument import StringArgument
from gateway_openai_responses.tool_kinds import Offer, custom_input

_NUMBER: Final = b',"sequence_number":'
_END: Final = b"}\n\n"


class Events:
    """Writes events, and numbers them from 0."""

    def __init__(self) -> None:
        self._next = 0

    def event(self, kind: str, fields: Mapping[str, Any]) -> bytes:
        """One event."""
        body = dump({"type": kind, **fields})
        return self.numbered(b"event: " + kind.encode() + b"\ndata: " + body[:-1])

    def numbered(self, event: bytes) -> bytes:
        """An event whose JSON object is not closed yet, with its number."""
        number, self._next = self._next, self._next + 1
        return b"".join((event, _NUMBER, str(number).encode(), _END))


class OpenItem(ABC):
    """An item that has begun: `item` is it as far as it is known, and whole once it is closed."""

    def __init__(self, events: Events, index: int) -> None:
        self._events = events
        self.index = index
        self.pieces: list[str] = []
        self.item: dict[str, Any] = {}

    @property
    def text(self) -> str:
        """All that has arrived."""
        return "".join(self.pieces)

    @abstractmethod
    def open(self) -> bytes:
        """The events at its beginning."""

    @abstractmethod
    def delta(self, text: str) -> bytes:
        """The events for a piece that is not empty."""

    @abstractmethod
    def close(self, status: ItemStatus, end: PartEnd | None) -> bytes:
        """The events at its end. `end` is that of its last part, if it came."""

    def _added(self) -> bytes:
        return self._lifecycle("added")

    def _done(self, *, encrypted: bool = True) -> bytes:
        return self._lifecycle("done", visible(self.item, encrypted=encrypted))

    def _lifecycle(self, step: str, item: Mapping[str, Any] | None = None) -> bytes:
        fields = {"output_index": self.index, "item": self.item if item is None else item}
        return self._events.event(f"response.output_item.{step}", fields)

    def _place(self, **fields: object) -> dict[str, Any]:
        return {"item_id": self.item["id"], "output_index": self.index, **fields}

    def _around(self, kind: str, **fields: object) -> bytes:
        """All of an event before the text of its delta."""
        start = dump({"type": kind, **self._place(**fields)})[:-1]
        return b"event: " + kind.encode() + b"\ndata: " + start + b',"delta":'


class OpenMessage(OpenItem):
    """Texts that follow each other: `output_text`, the only content part of their message.

    `begin_text` is called for each but the first, `cite` with the sources of the one that has begun.
    """

    def __init__(self, form: ResponseForm, events: Events, index: int) -> None:
        super().__init__(events, index)
        self.item = message_item(form.item_id("msg", index), [], "in_progress")
        self._before = self._around("response.output_text.delta", content_index=0, logprobs=[])
        self._length = self._start = 0
        self._cited: list[Citation] = []
        self._annotations: list[dict[str, Any]] = []

    def begin_text(self) -> None:
        """Another text follows."""
        self._end_text()
        self._start = self._length

    def cite(self, citation: Citation) -> None:
        """Take a source of the text."""
        self._cited.append(citation)

    def _end_text(self) -> None:
        places = (self._start, self._length)
        self._annotations += [url_citation(each, *places) for each in self._cited]
        self._cited = []

    def open(self) -> bytes:
        part = self._place(content_index=0, part=text_part(""))
        return self._added() + self._events.event("response.content_part.added", part)

    def delta(self, text: str) -> bytes:
        self.pieces.append(text)
        self._length += len(text)
        return self._events.numbered(self._before + dump(text))

    def close(self, status: ItemStatus, end: PartEnd | None) -> bytes:
        self._end_text()
        part = text_part(self.text, self._annotations)
        self.item = {**self.item, "status": status, "content": [part]}
        done = self._place(content_index=0, text=part["text"], logprobs=[])
        return (
            b"".join(
                self._events.event(
                    "response.output_text.annotation.added",
                    self._place(content_index=0, annotation_index=number, annotation=annotation),
                )
                for number, annotation in enumerate(self._annotations)
            )
            + self._events.event("response.output_text.done", done)
            + self._events.event(
                "response.content_part.done", self._place(content_index=0, part=part)
            )
            + self._done()
        )


class OpenReasoning(OpenItem):
    """Thinking: its text is the item's summary, if the client asked for one."""

    def __init__(self, form: ResponseForm, events: Events, index: int) -> None:
        super().__init__(events, index)
        self._form = form
        self.item = reasoning_item(Thinking(text=""), form, index, "in_progress")
        self._before = self._around("response.reasoning_summary_text.delta", summary_index=0)

    def open(self) -> bytes:
        return self._added()

    def delta(self, text: str) -> bytes:
        first = not self.pieces
        self.pieces.append(text)
        if not self._form.summary:
            return b""
        said = (
            self._events.event("response.reasoning_summary_part.added", self._part(""))
            if first
            else b""
        )
        return said + self._events.numbered(self._before + dump(text))

    def close(self, status: ItemStatus, end: PartEnd | None) -> bytes:
        signature = end.signature if end is not None else None
        thinking = Thinking(text=self.text, signature=signature)
        self.item = reasoning_item(thinking, self._form, self.index, status)
        return self._summary_end() + self._done(encrypted=self._form.encrypted)

    def _summary_end(self) -> bytes:
        if not (self._form.summary and self.pieces):
            return b""
        done = self._place(summary_index=0, text=self.text)
        return self._events.event(
            "response.reasoning_summary_text.done", done
        ) + self._events.event("response.reasoning_summary_part.done", self._part(self.text))

    def _part(self, text: str) -> dict[str, Any]:
        return self._place(summary_index=0, part={"type": "summary_text", "text": text})


class OpenCall(OpenItem):
    """A call of a tool that the client runs and whose arguments have no events of their own."""

    def __init__(
        self, form: ResponseForm, events: Events, index: int, call: ToolCall, offer: Offer
    ) -> None:
        super().__init__(events, index)
        self._call, self._offer = call, offer
        self._item_id = form.item_id(PREFIXES[offer.kind], index)
        self.item = self._with("", "in_progress")

    def _with(self, arguments: str, status: ItemStatus) -> dict[str, Any]:
        call = ToolCall(id=self._call.id, name=self._call.name, arguments=arguments)
        return call_item(self._offer, call, self._item_id, status)

    def open(self) -> bytes:
        return self._added()

    def delta(self, text: str) -> bytes:
        self.pieces.append(text)
        return b""

    def close(self, status: ItemStatus, end: PartEnd | None) -> bytes:
        rest = b"" if self.pieces else self.delta("{}")
        self.item = self._with(self.text, status)
        return rest + self._arguments_done() + self._done()

    def _arguments_done(self) -> bytes:
        return b""


class OpenFunctionCall(OpenCall):
    """A call of a function: its arguments as they are written."""

    def open(self) -> bytes:
        self._before = self._around("response.function_call_arguments.delta")
        return self._added()

    def delta(self, text: str) -> bytes:
        self.pieces.append(text)
        return self._events.numbered(self._before + dump(text))

    def _arguments_done(self) -> bytes:
        done = self._place(arguments=self.text, name=self.item["name"])
        return self._events.event("response.function_call_arguments.done", done)


class OpenCustomCall(OpenCall):
    """A call of a custom tool: its only argument as it is written."""

    def open(self) -> bytes:
        self._before = self._around("response.custom_tool_call_input.delta")
        self._argument = StringArgument()
        self._sent: list[str] = []
        return self._added()

    def delta(self, text: str) -> bytes:
        self.pieces.append(text)
        return self._send(self._argument.feed(text))

    def _send(self, text: str) -> bytes:
        if not text:
            return b""
        self._sent.append(text)
        return self._events.numbered(self._before + dump(text))

    def _arguments_done(self) -> bytes:
        whole = custom_input(self.text)
        done = self._place(input=whole)
        rest = self._send(whole.removeprefix("".join(self._sent)))
        return rest + self._events.event("response.custom_tool_call_input.done", done)


class OpenSearch(OpenItem):
    """A search that the provider makes."""

    def __init__(self, form: ResponseForm, events: Events, index: int, search: WebSearch) -> None:
        super().__init__(events, index)
        self._form, self._search = form, search
        self.item = search_item(search, form, index, "in_progress")

    def open(self) -> bytes:
        return self._added() + self._step("in_progress") + self._step("searching")

    def delta(self, text: str) -> bytes:
        self.pieces.append(text)
        return b""

    def close(self, status: ItemStatus, end: PartEnd | None) -> bytes:
        found = end.search if end is not None else None
        search = found or replace(self._search, query=self.text)
        self.item = search_item(search, self._form, self.index)
        said = self._step("completed") if search.status == "completed" else b""
        return said + self._done()

    def _step(self, step: str) -> bytes:
        return self._events.event(f"response.web_search_call.{step}", self._place())


class OpenRefusal(OpenItem):
    """A refusal, which is there as a whole."""

    def __init__(self, form: ResponseForm, events: Events, index: int) -> None:
        super().__init__(events, index)
        self.item = message_item(form.item_id("msg", index), [], "in_progress")

    def open(self) -> bytes:
        part = self._place(content_index=0, part=refusal_part(""))
        return self._added() + self._events.event("response.content_part.added", part)

    def delta(self, text: str) -> bytes:
        self.pieces.append(text)
        return self._events.event(
            "response.refusal.delta", self._place(content_index=0, delta=text)
        )

    def close(self, status: ItemStatus, end: PartEnd | None) -> bytes:
        part = refusal_part(self.text)
        self.item = {**self.item, "status": status, "content": [part]}
        return (
            self._events.event(
                "response.refusal.done", self._place(content_index=0, refusal=self.text)
            )
            + self._events.event(
                "response.content_part.done", self._place(content_index=0, part=part)
            )
            + self._done()
        )


def open_item(form: ResponseForm, events: Events, index: int, part: AnswerPart) -> OpenItem:
    """The item for a part that begins."""
    match part:
        case Text():
            return OpenMessage(form, events, index)
        case Thinking():
            return OpenReasoning(form, events, index)
        case WebSearch():
            return OpenSearch(form, events, index, part)
        case call:
            offer = form.offer(call.name)
            kinds = {"function": OpenFunctionCall, "custom": OpenCustomCall}
            return kinds.get(offer.kind, OpenCall)(form, events, index, call, offer)
