"""One answer out of several rounds: selecting the events of each for the client. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TypeAlias

from gateway.streams import AnswerBuilder
from gateway.types import (
    Message,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseStart,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)

PartEvent: TypeAlias = PartStart | PartDelta | PartCitation | PartEnd


class AnswerInRounds:
    """Takes the events of each round, and gives those of the one answer.

    Calls of tools in `own` are held back. With `text_at_end`, so is a round's text until it is
    known to be the last: an answer in JSON is nothing with other text before it.
    """

    def __init__(self, own: Collection[str], *, text_at_end: bool = False) -> None:
        self._own = own
        self._text_at_end = text_at_end
        self._started = False
        self._next_index = 0
        self._earlier = Usage()
        self._said: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._round = AnswerBuilder()
        self._indexes: dict[int, int] = {}
        self._texts: dict[int, list[PartEvent]] = {}
        self._is_text: set[int] = set()

    def next_round(self) -> None:
        """The calls are done, and the model goes on."""
        self._earlier = self._earlier + self._round.usage
        self._begin()

    @property
    def text(self) -> str:
        """All text that was passed on so far."""
        return "".join(self._said)

    @property
    def message(self) -> Message:
        """The model's parts in this round, calls of the gateway's tools included."""
        return Message(role="assistant", parts=self._round.parts())

    def calls(self, *, own: bool) -> list[ToolCall]:
        """This round's calls: the gateway's own, or the client's. None of an answer cut short."""
        end = self._round.end
        if end is None or end.stop_reason != "tool_calls":
            return []
        calls = (part for part in self._round.parts() if isinstance(part, ToolCall))
        return [call for call in calls if (call.name in self._own) == own]

    def read(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """Take the next event of this round. Raises `BackendFailed`."""
        self._round.add(event)
        match event:
            case ResponseStart():
                if not self._started:
                    self._started = True
                    yield event
            case UsageUpdate():
                yield UsageUpdate(usage=self._earlier + event.usage)
            case PartStart(part=ToolCall(name=name)) if name in self._own:
                pass
            case PartStart(part=Text()) if self._text_at_end:
                self._texts[event.index] = [event]
            case PartDelta() | PartCitation() | PartEnd() if event.index in self._texts:
                self._texts[event.index].append(event)
            case PartStart() | PartDelta() | PartCitation() | PartEnd():
                yield from self._passed_on(event)

    def end(self) -> Iterator[StreamEvent]:
        """The rest of the answer; nothing, if it broke off."""
        for events in self._texts.values():
            for event in events:
                yield from self._passed_on(event)
        if (end := self._round.end) is not None:
            yield end

    def note(self, text: str) -> Iterator[StreamEvent]:
        """A thought that is the gateway's."""
        index, self._next_index = self._next_index, self._next_index + 1
        yield PartStart(index=index, part=Thinking(text=""))
        yield PartDelta(index=index, text=text)
        yield PartEnd(index=index)

    def _passed_on(self, event: PartEvent) -> Iterator[StreamEvent]:
        """The event with the index that the part has in the whole answer."""
        if isinstance(event, PartStart):
            self._indexes[event.index] = self._next_index
            if isinstance(event.part, Text):
                self._is_text.add(event.index)
            self._next_index += 1
        if (index := self._indexes.get(event.index)) is None:
            return
        if isinstance(event, PartDelta) and event.index in self._is_text:
            self._said.append(event.text)
        yield replace(event, index=index)
