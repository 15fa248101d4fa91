"""A tool choice that the API can't force: the model is told, and its answer is checked. Pure.

Several models, such as opus-5-5, refuse a forced choice (can1357/oh-my-pi#12939). Tools and system
prompt stay unchanged, as they are the cached prefix; one sentence is added to the end of the last
user turn. Text before the call is held back, as a forced choice has none. An answer without an
allowed call is not passed on, and the model is asked once more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from gateway.errors import BackendFailed
from gateway.types import (
    ChatRequest,
    Message,
    Part,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.request.tools.tool_names import ToolNames

NOT_FOLLOWED: Final = "tool_choice_not_followed"
MOST_ATTEMPTS: Final = 2
# stop reasons of an answer that had no chance to call a tool
_CUT: Final = ("max_tokens", "refusal", "stop_sequence")


def demand(choice: ToolChoice, names: ToolNames) -> str:
    """The sentence that demands the call, with the model's names of the tools."""
    wanted = [f"`{names.to_model(name)}`" for name in choice.names]
    if len(wanted) == 1:
        what = f"the {wanted[0]} tool"
    elif wanted:
        what = f"one of the tools {', '.join(wanted)}"
    else:
        what = "at least one of your tools"
    return f"Call {what} now, and do not answer in text."


def with_demand(request: ChatRequest, names: ToolNames) -> ChatRequest:
    """The request with the sentence at the end of its last user turn."""
    sentence = Text(text=demand(request.tool_choice, names))
    if not request.messages or request.messages[-1].role != "user":
        return _with_turns(request, Message(role="user", parts=(sentence,)))
    *before, last = request.messages
    last = replace(last, parts=(*last.parts, sentence))
    return replace(request, messages=(*before, last))


def asked_again(request: ChatRequest, names: ToolNames, answer: Sequence[Part]) -> ChatRequest:
    """The request with the wrong answer and the demand once more."""
    # calls of other tools are left out: each would need a result, which the client never gave
    said = tuple(part for part in answer if isinstance(part, Text) and part.text.strip())
    turns = [Message(role="user", parts=(Text(text=demand(request.tool_choice, names)),))]
    if said:
        turns.insert(0, Message(role="assistant", parts=said))
    return _with_turns(request, *turns)


def _with_turns(request: ChatRequest, *turns: Message) -> ChatRequest:
    return replace(request, messages=(*request.messages, *turns))


class DemandedAnswer:
    """One answer to the client out of at most `MOST_ATTEMPTS` of the model's.

    Feed it the events of an attempt; at its end `followed` says whether it was the answer. Parts
    are numbered and usage is summed over all attempts. Nothing is sent before the first visible
    event, so that a failure can still be an HTTP error.
    """

    def __init__(self, choice: ToolChoice) -> None:
        self._names = frozenset(choice.names)
        self._waiting: list[StreamEvent] = []
        self._visible = False
        self._text: list[StreamEvent] = []
        self._text_parts: set[int] = set()
        self._dropped: set[int] = set()
        self._offset = 0
        self._next = 0
        self._called = False
        self._earlier = Usage()
        self._usage = Usage()
        self.attempts = 1
        self.followed = False

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """The events to send on for this one."""
        match event:
            case ResponseStart():
                if self.attempts == 1:
                    yield from self._when_visible(event)
            case UsageUpdate():
                self._usage = event.usage
                yield from self._when_visible(UsageUpdate(usage=_sum(self._earlier, event.usage)))
            case PartStart() | PartDelta() | PartEnd():
                moved = replace(event, index=event.index + self._offset)
                self._next = max(self._next, moved.index + 1)
                yield from self._part(moved)
            case ResponseEnd():
                yield from self._end(event)

    def try_again(self) -> None:
        """Begin another attempt. Raises `BackendFailed` after the last one."""
        if self.attempts >= MOST_ATTEMPTS:
            raise BackendFailed(
                "The model ignored 'tool_choice' twice. Ask for the tool in the prompt, or use a "
                "model that supports forced tool calls.",
                code=NOT_FOLLOWED,
                param="tool_choice",
                should_retry=False,
            )
        self.attempts += 1
        self._offset = self._next
        self._earlier, self._usage = _sum(self._earlier, self._usage), Usage()
        self._text.clear()

    def _part(self, event: PartStart | PartDelta | PartEnd) -> Iterator[StreamEvent]:
        if isinstance(event, PartStart):
            yield from self._begin(event)
        elif event.index in self._dropped:
            return
        elif event.index in self._text_parts:
            self._text.append(event)
        elif isinstance(event, PartDelta):
            yield from self._now(event)
        else:
            yield from self._when_visible(event)

    def _begin(self, event: PartStart) -> Iterator[StreamEvent]:
        match event.part:
            case ToolCall(name=name) if not self._names or name in self._names:
                self._called = True
                self._text.clear()
                yield from self._now(event)
            case Text() if not self._called:
                self._text_parts.add(event.index)
                self._text.append(event)
            case Thinking():
                yield from self._when_visible(event)
            case _:
                self._dropped.add(event.index)

    def _end(self, event: ResponseEnd) -> Iterator[StreamEvent]:
        """A call is the answer, and so is an end that left no room for one."""
        self.followed = self._called or event.stop_reason in _CUT
        if self.followed:
            yield from self._now(*self._text, event)

    def _now(self, *events: StreamEvent) -> Iterator[StreamEvent]:
        self._visible = True
        waiting, self._waiting = self._waiting, []
        yield from waiting
        yield from events

    def _when_visible(self, event: StreamEvent) -> Iterator[StreamEvent]:
        if self._visible:
            yield event
        else:
            self._waiting.append(event)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        input_tokens=one.input_tokens + other.input_tokens,
        cache_read_tokens=one.cache_read_tokens + other.cache_read_tokens,
        cache_write_tokens=one.cache_write_tokens + other.cache_write_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        reasoning_tokens=one.reasoning_tokens + other.reasoning_tokens,
    )
