"""From the CLI's lines to the hub's events. Pure.

`stream_event` lines carry the Messages API's own streaming events; only these become parts of
the answer. Text in other lines may be the CLI's own (errors, notices) and is never passed on.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from gateway.errors import BackendFailed, GatewayError
from gateway.types import (
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
from gateway_claude_code.parameters import STRUCTURED_OUTPUT
from gateway_claude_code.protocol import Line
from gateway_claude_code.tool_names import ToolNames

STOP_REASONS: Final[dict[str, StopReason]] = {
    "end_turn": "end",
    "pause_turn": "end",
    "stop_sequence": "stop_sequence",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}
"""platform docs, "Handling stop reasons"."""


class EventReader:
    """Reads the streaming events of one upstream answer.

    `started` is True once the upstream has begun, `ended` once it has given a stop reason.
    """

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._signatures: dict[int, str] = {}
        self._open: set[int] = set()
        self._usage = Usage()
        self._structured = False
        self._called = False
        self.started = False
        self.ended = False

    def read(self, event: dict[str, Any]) -> Iterator[StreamEvent]:
        """The hub's events for one event of the API. Raises `GatewayError`.

        The answer ends with `message_delta` and its stop reason: what follows may be the CLI's
        own idea. One without a stop reason is an attempt that the CLI gave up.
        """
        match event.get("type"):
            case "content_block_delta":
                yield from self._delta(event["index"], event["delta"])
            case "content_block_start":
                yield from self._block(event["index"], event["content_block"])
            case "content_block_stop" if event["index"] in self._open:
                self._open.discard(event["index"])
                signature = self._signatures.pop(event["index"], None)
                yield PartEnd(index=event["index"], signature=signature)
            case "message_start":
                yield from self._start(event["message"])
            case "message_delta":
                yield from self._message_delta(event)

    def end(
        self, stop_reason: StopReason, stop_sequence: str | None = None
    ) -> Iterator[StreamEvent]:
        """The events that end the answer, whatever parts are still open."""
        for index in sorted(self._open):
            yield PartEnd(index=index)
        self._open.clear()
        self.ended = True
        yield ResponseEnd(stop_reason=stop_reason, stop_sequence=stop_sequence)

    def _start(self, message: dict[str, Any]) -> Iterator[StreamEvent]:
        if self.started:
            raise BackendFailed("the upstream's answer broke off and began again")
        self.started = True
        yield ResponseStart(model=message.get("model"))
        yield from self._count(message.get("usage") or {})

    def _block(self, index: int, block: dict[str, Any]) -> Iterator[StreamEvent]:
        part: Text | Thinking | ToolCall
        match block.get("type"):
            case "text":
                part = Text(text="")
            case "thinking":
                part = Thinking(text="")
            case "tool_use" if block.get("name") == STRUCTURED_OUTPUT:
                self._structured = True
                part = Text(text="")
            case "tool_use":
                self._called = True
                name = self._names.from_model(block["name"])
                part = ToolCall(id=plain_id(block["id"]), name=name, arguments="")
            case _:
                return
        self._open.add(index)
        yield PartStart(index=index, part=part)
        if text := block.get("text") or block.get("thinking"):
            yield PartDelta(index=index, text=text)

    def _delta(self, index: int, delta: dict[str, Any]) -> Iterator[StreamEvent]:
        if index not in self._open:
            return
        match delta:
            case {"text": str(text)} | {"thinking": str(text)} | {"partial_json": str(text)}:
                if text:
                    yield PartDelta(index=index, text=text)
            case {"signature": str(signature)}:
                self._signatures[index] = self._signatures.get(index, "") + signature

    def _message_delta(self, event: dict[str, Any]) -> Iterator[StreamEvent]:
        delta = event.get("delta") or {}
        if reason := delta.get("stop_reason"):
            stop_reason = STOP_REASONS.get(reason, "end")
            if stop_reason == "tool_calls" and self._structured and not self._called:
                stop_reason = "end"
            yield from self._count(event.get("usage") or {})
            yield from self.end(stop_reason, delta.get("stop_sequence"))

    def _count(self, usage: dict[str, Any]) -> Iterator[StreamEvent]:
        """`message_delta` repeats and corrects what `message_start` said; both are cumulative."""
        before = self._usage
        details = usage.get("output_tokens_details") or {}
        self._usage = Usage(
            input_tokens=_number(usage, "input_tokens", before.input_tokens),
            cache_read_tokens=_number(usage, "cache_read_input_tokens", before.cache_read_tokens),
            cache_write_tokens=_number(
                usage, "cache_creation_input_tokens", before.cache_write_tokens
            ),
            output_tokens=_number(usage, "output_tokens", before.output_tokens),
            reasoning_tokens=_number(details, "thinking_tokens", before.reasoning_tokens),
        )
        if self._usage != before:
            yield UsageUpdate(usage=self._usage)


def plain_id(call_id: str) -> str:
    """A call's id in letters and digits alone, as some clients rewrite all others."""
    return re.sub(r"[^A-Za-z0-9]", "", call_id)


def _number(values: dict[str, Any], key: str, otherwise: int) -> int:
    value = values.get(key)
    return value if isinstance(value, int) else otherwise


def read_stream_event(reader: EventReader, line: Line) -> list[StreamEvent]:
    """The hub's events for one `stream_event` line. Raises `GatewayError` only."""
    if line.get("parent_tool_use_id"):
        return []
    try:
        return list(reader.read(line["event"]))
    except GatewayError:
        raise
    except (LookupError, TypeError, AttributeError) as error:
        raise BackendFailed("the Claude Code CLI sent an event that makes no sense") from error
