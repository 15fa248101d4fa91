"""From the CLI's lines to the hub's events. Pure.

`stream_event` lines have the API's own events (platform.claude.com/docs/en/build-with-claude/streaming);
only these become parts of the answer. Text in other lines may be the CLI's own (errors, notices:
seen with 2.1.197 and 2.1.330) and is never passed on.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.content.surrogates import HalvesJoiner
from gateway.errors import BackendFailed, GatewayError
from gateway.types import (
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StopReason,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.agent import Agent, shown
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.settings import STRUCTURED_OUTPUT
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.json_answer import OUTPUT, JsonAnswer, SchemaAnswer
from gateway_claude_code.response.own_arguments import OwnArguments
from gateway_claude_code.response.searches import Searches, citation_of, is_search

STOP_REASONS: Final[dict[str, StopReason]] = {
    "end_turn": "end",
    "pause_turn": "max_tokens",  # of a turn with many searches: CLI 2.1.330 ends the answer there
    "stop_sequence": "stop_sequence",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}
"""platform.claude.com/docs/en/build-with-claude/handling-stop-reasons."""

MOST_MESSAGES: Final = 4
"""The most messages of one answer: see `EventReader`."""


class EventReader:
    """Reads the streaming events of one answer, usually one message of the upstream.

    After a message that only calls unknown tools, or prose instead of JSON, the CLI tells the model
    so and asks again (seen with 2.1.330); the answer continues with the next message. The same
    holds for an `agent`'s own tools, which the CLI runs: the client gets a line of thinking, or nothing.

    `started`: the upstream has begun. `in_message`: a message is incomplete. `ended`: the answer
    has its stop reason. `calls`: the upstream's ids of the model's calls. `thought`: the model was
    seen to think. Without `asks_again` the CLI may not ask again, so one message has to be the
    answer; with `unlimited` it may ask any number of times.
    """

    def __init__(
        self,
        names: ToolNames,
        answer: JsonAnswer | None = None,
        agent: Agent | None = None,
        *,
        asks_again: bool = True,
        unlimited: bool = False,
    ) -> None:
        self._names = names
        self._own_arguments = OwnArguments(names)
        self._answer = answer
        self._agent = agent
        self._most = agent.max_messages if agent is not None else MOST_MESSAGES
        self._activity: dict[int, tuple[str, list[str]]] = {}
        self._signatures: dict[int, str] = {}
        self._whole_inputs: dict[int, str] = {}
        self._open: set[int] = set()
        self._searches = Searches()
        self._halves = HalvesJoiner()
        self._first_index = 0
        self._next_index = 0
        self._earlier = Usage()
        self._usage = Usage()
        self._messages = 0
        self._called_unknown = False
        self._lost_input = False
        self._said_something = False
        self._began_again = False
        self._has_text = False
        self.thought = False
        self._asks_again = asks_again
        self._unlimited = unlimited
        self.calls: list[str] = []
        self.started = False
        self.in_message = False
        self.ended = False

    @property
    def verbatim(self) -> bool:
        """Whether the answer is one message of the upstream, given as it came."""
        plain = self._answer is None or self._answer.verbatim
        as_it_came = not (self._called_unknown or self._lost_input or self._began_again)
        return plain and self._messages == 1 and as_it_came

    @property
    def gave_something(self) -> bool:
        """Whether a part of the present message, or of an attempt at it, has begun."""
        return self._next_index > self._first_index or bool(self._activity)

    @property
    def asks_freely(self) -> bool:
        """Whether the answer may take any number of requests, as the CLI's own tools run."""
        return self._unlimited or self._agent is not None or self.wants_output

    @property
    def goes_on(self) -> bool:
        """Whether the CLI will ask again, as the present message calls unknown tools only."""
        return self._called_unknown and self._asks_again and not self.calls

    @property
    def messages(self) -> int:
        """The number of upstream messages so far."""
        return self._messages

    @property
    def wants_output(self) -> bool:
        """Whether the answer comes as a call of the CLI's `StructuredOutput`."""
        return isinstance(self._answer, SchemaAnswer)

    async def check(self) -> None:
        """Check a complete answer against its schema. Raises `BackendFailed`."""
        if self._answer is not None and self._answer.complete is not None:
            await self._answer.complete.check()

    def read(self, event: dict[str, Any]) -> Iterator[StreamEvent]:
        """The hub's events for one event of the API. Raises `GatewayError`.

        The answer ends with the stop reason of `message_delta`: a message after it may be of the
        CLI's own making. A message without one is an attempt that the CLI has abandoned.
        """
        for found in self._read(event):
            yield from self._formed(found)

    def end(self, end: ResponseEnd) -> Iterator[StreamEvent]:
        """The events that end the answer, including those of open parts."""
        for found in self._end(end):
            yield from self._formed(found)

    def _formed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        for whole in self._halves.feed(event):
            for found in self._own_arguments.feed(whole):
                yield from self._answer.feed(found) if self._answer is not None else (found,)

    def _read(self, event: dict[str, Any]) -> Iterator[StreamEvent]:
        match event.get("type"):
            case "content_block_delta":
                yield from self._delta(self._index(event), event["delta"])
            case "content_block_start":
                yield from self._block(self._index(event), event["content_block"])
            case "content_block_stop" if (index := self._index(event)) in self._open:
                yield from self._part_end(index)
            case "content_block_stop" if (index := self._index(event)) in self._activity:
                yield from self._shown(index)
            case "content_block_stop" if self._searches.takes(index := self._index(event)):
                yield from self._searches.asked(index)
            case "message_start":  # `ping` and new types are passed over, as the page asks
                yield from self._start(event["message"])
            case "message_delta":
                yield from self._message_delta(event)

    def _index(self, event: dict[str, Any]) -> int:
        index: int = event["index"] + self._first_index
        return index

    def _part_end(self, index: int) -> Iterator[StreamEvent]:
        self._open.discard(index)
        if whole := self._whole_inputs.pop(index, ""):
            yield PartDelta(index=index, text=whole)
        yield PartEnd(index=index, signature=self._signatures.pop(index, None))

    def _end(self, end: ResponseEnd) -> Iterator[StreamEvent]:
        for index in sorted(self._open):
            yield from self._part_end(index)
        yield from self._searches.close()
        self.in_message = False
        self.ended = True
        yield end

    def _start(self, message: dict[str, Any]) -> Iterator[StreamEvent]:
        if not self.started:
            yield ResponseStart(model=message.get("model"))  # 2.1.330 remaps some names
        if self.in_message:
            yield from self._begin_again()
        else:
            self._messages += 1  # the CLI has asked again by itself
            self._said_something = False
        self.started = self.in_message = True
        yield from self._count(message.get("usage") or {})

    def _begin_again(self) -> Iterator[StreamEvent]:
        """The CLI repeats an overloaded attempt (2.1.330, before any text; doctor: overload_retried).

        Its thinking may already be sent; the next attempt's is added to it. Raises `BackendFailed`
        if it had begun to say something.
        """
        if self._said_something:
            raise BackendFailed("The upstream's answer was interrupted and restarted.")
        self._began_again |= self.gave_something
        for index in sorted(self._open):
            yield from self._part_end(index)
        yield from self._searches.close()
        self._signatures.clear()
        self._first_index = self._next_index
        self._usage = Usage()

    def _block(self, index: int, block: dict[str, Any]) -> Iterator[StreamEvent]:
        part: Text | Thinking | ToolCall
        match block.get("type"):
            case "text":
                part = Text(text="")
                self._has_text = True
            case "thinking":  # `display: updates` is 2.1.330's choice, and often leaves it empty
                part = Thinking(text="")
                self.thought = True
            case "tool_use":
                self._said_something = True
                if (name := self._tool_name(block["name"])) is None:
                    self._called_unknown = True
                    self._note(index, block["name"])
                    return
                self.calls.append(block["id"])
                self._note_input(index, block.get("input"))
                part = ToolCall(id=plain_id(block["id"]), name=name, arguments="")
            case _ if is_search(block):
                self._next_index = index + 1
                return (yield from self._searches.begin(index, block))
            case kind:  # `redacted_thinking`, the API's own code, …: no part of the hub's model
                self.thought |= kind == "redacted_thinking"
                return
        self._open.add(index)
        self._next_index = index + 1
        yield PartStart(index=index, part=part)
        if text := block.get("text") or block.get("thinking"):  # not of the API, but of others
            self._said_something |= bool(block.get("text"))
            yield PartDelta(index=index, text=text)

    def _note_input(self, index: int, given: object) -> None:
        """Keep arguments that come with the start of a call, in case no deltas follow.

        The API streams them as deltas; other providers may not, and 2.1.330 itself loses them.
        """
        if isinstance(given, dict) and given:
            self._whole_inputs[index] = json.dumps(given, ensure_ascii=False)
            self._lost_input = True

    def _note(self, index: int, name: str) -> None:
        """Keep an agent's activity, to be shown when it is complete."""
        if self._agent is not None and self._agent.activity == "thinking":
            self._activity[index] = (name, [])  # its input streams as that of any call (2.1.330)

    def _shown(self, index: int) -> Iterator[StreamEvent]:
        name, pieces = self._activity.pop(index)
        self._next_index = index + 1
        yield PartStart(index=index, part=Thinking(text=""))
        yield PartDelta(index=index, text=shown(name, "".join(pieces)))
        yield PartEnd(index=index)

    def _tool_name(self, name: str) -> str | None:
        """The client's name of a tool; None for one that the model made up."""
        if name == STRUCTURED_OUTPUT and self.wants_output:
            return OUTPUT
        return self._names.from_model(name)

    def _delta(self, index: int, delta: dict[str, Any]) -> Iterator[StreamEvent]:
        if index in self._activity:
            self._activity[index][1].append(str(delta.get("partial_json", "")))
        if self._searches.takes(index):
            self._searches.add(index, delta)
        if index not in self._open:
            return
        match delta:
            case {"text": str(text)} | {"thinking": str(text)} | {"partial_json": str(text)}:
                if text:
                    self._said_something |= "thinking" not in delta
                    self._whole_inputs.pop(index, None)
                    yield PartDelta(index=index, text=text)
            case {"citation": given} if self._answer is None and (source := citation_of(given)):
                yield PartCitation(index=index, citation=source)
            case {"signature": str(signature)}:  # the last delta of a thinking block
                self._signatures[index] = self._signatures.get(index, "") + signature

    def _message_delta(self, event: dict[str, Any]) -> Iterator[StreamEvent]:
        delta = event.get("delta") or {}
        if reason := delta.get("stop_reason"):  # null in an attempt that broke off (2.1.330)
            yield from self._count(event.get("usage") or {})
            stop_reason = self._stop_reason(reason)
            if self._goes_on(stop_reason):
                self._await_next_message()
            elif self._called_unknown and not self.calls:
                yield from self._end(ResponseEnd(stop_reason="end"))
            else:
                sequence = delta.get("stop_sequence")
                end = ResponseEnd(
                    stop_reason=stop_reason,
                    stop_sequence=sequence if stop_reason == "stop_sequence" else None,
                    refusal=explanation_of(delta) if stop_reason == "refusal" else None,
                )
                yield from self._end(end)

    def _stop_reason(self, reason: str) -> StopReason:
        """Why the message ended, by its content: the API's word may contradict it.

        The CLI follows the calls too (2.1.330): it runs those of a message that ended with
        "end_turn" or "stop_sequence", and asks again after a "tool_use" without any.
        """
        found = STOP_REASONS.get(reason, "end")
        called = bool(self.calls) or self._called_unknown
        if self.calls and (found in ("end", "stop_sequence") or reason == "pause_turn"):
            return "tool_calls"
        return "end" if found == "tool_calls" and not called else found

    def _goes_on(self, stop_reason: StopReason) -> bool:
        """Whether the CLI will ask the model again, and tell it what was wrong."""
        if stop_reason == "tool_calls" and self._called_unknown and not self.calls:
            if self._messages >= self._most or not (self._asks_again or self._has_text):
                raise BackendFailed("The model kept calling unknown tools.")
            return self._asks_again
        unsatisfied = self._answer is not None and not self._answer.satisfied
        return stop_reason == "end" and unsatisfied and self._messages < self._most

    def _await_next_message(self) -> None:
        self.in_message = False
        self._called_unknown = False
        self._open.clear()
        self._activity.clear()
        self._first_index = self._next_index
        self._earlier, self._usage = self._total(), Usage()

    def _count(self, usage: dict[str, Any]) -> Iterator[StreamEvent]:
        """`message_delta` repeats and corrects `message_start`: both are cumulative (the page on streaming)."""
        before = self._total()
        self._usage = _updated(self._usage, usage)
        if (total := self._total()) != before:
            yield UsageUpdate(usage=total)

    def _total(self) -> Usage:
        return self._earlier + self._usage


def _updated(before: Usage, usage: dict[str, Any]) -> Usage:
    details = usage.get("output_tokens_details") or {}  # in the last `message_delta` only
    server = usage.get("server_tool_use") or {}
    return Usage(
        input_tokens=_number(usage, "input_tokens", before.input_tokens),
        cache_read_tokens=_number(usage, "cache_read_input_tokens", before.cache_read_tokens),
        cache_write_tokens=_number(usage, "cache_creation_input_tokens", before.cache_write_tokens),
        output_tokens=_number(usage, "output_tokens", before.output_tokens),
        reasoning_tokens=_number(details, "thinking_tokens", before.reasoning_tokens),
        searches=_number(server, "web_search_requests", before.searches),
    )


def plain_id(call_id: str) -> str:
    """A call's id in letters and digits only, as some clients rewrite all other characters."""
    return re.sub(r"[^A-Za-z0-9]", "", call_id)


def _number(values: dict[str, Any], key: str, otherwise: int) -> int:
    """A count. Counts only grow: a later zero is that of a gateway which does not know it."""
    value = values.get(key)
    return value if isinstance(value, int) and value > 0 else otherwise


def explanation_of(delta: Mapping[str, Any]) -> str | None:
    """The API's explanation of a refusal, if any: `stop_details: {type, category, explanation}`.

    platform.claude.com/docs/en/build-with-claude/handling-stop-reasons.
    """
    details = delta.get("stop_details")
    explanation = details.get("explanation") if isinstance(details, Mapping) else None
    return explanation if isinstance(explanation, str) and explanation.strip() else None


def read_stream_event(reader: EventReader, line: Line) -> list[StreamEvent]:
    """The hub's events for one `stream_event` line. Raises `GatewayError` only."""
    # of a subagent, not of the answer (code.claude.com/docs/en/headless, "subagent messages")
    if line.get("parent_tool_use_id"):
        return []
    try:
        return list(reader.read(line["event"]))
    except GatewayError:
        raise
    except (LookupError, TypeError, AttributeError) as error:
        raise BackendFailed("the Claude Code CLI sent an invalid event") from error
