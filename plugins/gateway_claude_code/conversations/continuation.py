"""Going on with a conversation in its process: what is kept, and what a request adds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.streams import AnswerBuilder
from gateway.types import (
    Message,
    Part,
    PartDelta,
    ResponseEnd,
    StreamEvent,
    Text,
    ToolCall,
    ToolResult,
)
from gateway_claude_code.protocol import Block
from gateway_claude_code.request.canonical import Digest
from gateway_claude_code.request.history import (
    Turn,
    as_sent_back,
    is_heard,
    merged_turns,
    result_content,
    turns,
)
from gateway_claude_code.request.prepare import Prepared
from gateway_claude_code.request.tools.call_ids import UniqueIds, api_id, is_api_id
from gateway_claude_code.request.tools.call_input import is_read_alike
from gateway_claude_code.response.events import EventReader

LONGEST_RESULT: Final = 50_000
"""Characters. The CLI cuts longer results of MCP tools (25,000 tokens is its default)."""
LONGEST_ANSWER: Final = 2_000_000
"""Characters. The models' longest answers have 128,000 tokens, of about 4 characters each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationState:
    """The parts of a conversation that its process holds already.

    `set_up`: the system prompt and tools. `answered`: everything up to the answer that it gave last.
    `thought`: that answer began with thinking. `transcribed`: it gets earlier turns as text.
    `exchanged`: it had other tools before.
    """

    set_up: bool = False
    answered: bool = False
    thought: bool = False
    transcribed: bool = False
    exchanged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """The way on from an earlier answer: the `key` of its process, and what to say to it.

    Either `turn` is the user's next turn, or `results` are those of the answer's calls, in the
    order of these.
    """

    key: Digest
    turn: Turn | None = None
    results: tuple[Sequence[Block], ...] = ()


def continuation(prepared: Prepared) -> Continuation | None:
    """How the request goes on from the last answer in it; None if it can only be started anew."""
    messages = prepared.request.messages
    last = max((i for i, message in enumerate(messages) if message.role == "assistant"), default=-1)
    if last < 0:
        return None
    answered, new = messages[: last + 1], messages[last + 1 :]
    calls = [part.id for part in _last_turn(answered) if isinstance(part, ToolCall)]
    if calls:
        results = _results(calls, new)
        if results is None:
            return None
        return Continuation(key=prepared.key(answered, parked=True), results=results)
    if not new or any(isinstance(part, ToolResult) for message in new for part in message.parts):
        return None
    next_turns = turns(new, prepared.names)
    if len(next_turns) != 1:
        return None
    return Continuation(key=prepared.key(answered, parked=False), turn=next_turns[0])


def _last_turn(answered: Sequence[Message]) -> Sequence[Part]:
    """The assistant's last words and calls. Some clients divide an answer's calls among messages."""
    role, parts = (merged_turns(answered) or [("user", [])])[-1]
    return parts if role == "assistant" else ()


def _results(calls: Sequence[str], new: Sequence[Message]) -> tuple[Sequence[Block], ...] | None:
    """The results of exactly these calls as MCP content, if that is all that is new."""
    parts = [part for message in new for part in message.parts]
    found = {part.call_id: part for part in parts if isinstance(part, ToolResult)}
    if len(found) != len(parts) or found.keys() != set(calls) or len(set(calls)) != len(calls):
        return None
    contents = [_content(found[call_id]) for call_id in calls]
    whole = tuple(content for content in contents if content is not None)
    return whole if len(whole) == len(contents) else None


def _content(result: ToolResult) -> Sequence[Block] | None:
    """Text passes through the CLI as it is; what else there may be is left to a new process."""
    texts = [part.text for part in result.parts if isinstance(part, Text)]
    if result.is_error or len(texts) != len(result.parts) or not texts:
        return None
    if not all(text.strip() for text in texts) or sum(map(len, texts)) > LONGEST_RESULT:
        return None
    return result_content(result)


class AnswerSoFar:
    """An answer as far as it has come, for the key; no more of it than `LONGEST_ANSWER`.

    `end` stays None for a longer one, whose process is then not kept: with a slow client it would
    all lie in memory, and models do not say so much.
    """

    def __init__(self) -> None:
        self._builder = AnswerBuilder()
        self._length = 0

    def add(self, event: StreamEvent) -> None:
        """Take the next event. Raises `BackendFailed` for more of a part that never began."""
        if self._length > LONGEST_ANSWER:
            return
        self._builder.add(event)
        if isinstance(event, PartDelta):
            self._length += len(event.text)
            if self._length > LONGEST_ANSWER:
                self._builder = AnswerBuilder()

    @property
    def end(self) -> ResponseEnd | None:
        """The event at its end, once that has come."""
        return self._builder.end

    @property
    def message(self) -> Message:
        """The answer as the client will send it."""
        return Message(role="assistant", parts=as_sent_back(self._builder.parts()))


def key_after(
    prepared: Prepared, reader: EventReader, end: ResponseEnd | None, answer: Message
) -> Digest | None:
    """The key of the process for a request that goes on from this answer; None if it must not."""
    if not may_go_on(prepared, reader, end, answer):
        return None
    try:
        return prepared.key((*prepared.request.messages, answer), parked=bool(reader.calls))
    except RecursionError:  # arguments that are nested very deeply
        return None


def may_go_on(
    prepared: Prepared, reader: EventReader, end: ResponseEnd | None, answer: Message
) -> bool:
    """Whether the process now holds exactly the conversation that the client has.

    An answer of several texts is one text to the client, but not to the CLI; and one that goes on
    from the assistant's own words follows a turn that the client has not (`history.turns`).
    An agent's process holds more than the client has: what it did for the answer, which is good
    to keep.

    Nor does the CLI keep all that the model says: see `is_heard`, `is_read_alike`, `UniqueIds`.
    """
    if end is None or prepared.one_request:
        return False
    if prepared.request.messages[-1].role == "assistant":
        return False
    if prepared.demanded and reader.calls:  # the client's history will lack the demand
        return False
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    if not all(is_read_alike(call.arguments) for call in calls):
        return False
    if not _are_new_ids(reader.calls, prepared.request.messages):
        return False
    if prepared.agent is not None:
        return end.stop_reason == ("tool_calls" if reader.calls else "end")
    if not reader.verbatim:
        return False
    texts = [part.text for part in answer.parts if isinstance(part, Text)]
    if end.stop_reason == "tool_calls":
        return len(texts) <= 1 and 0 < len(calls) == len(reader.calls)
    if end.stop_reason not in ("end", "stop_sequence") or calls:
        return False
    return len(texts) == 1 and is_heard(texts[0])


def _are_new_ids(calls: Sequence[str], messages: Sequence[Message]) -> bool:
    """Whether calls have ids that the API takes once more beside those of the conversation."""
    if not calls:
        return True
    unique = UniqueIds()
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                unique.of(api_id(part.id))
    return all(is_api_id(call) and unique.of(call) == call for call in calls)
