"""From the hub's events to the chunks of a streamed answer, as server-sent events.

A chunk is `openai.types.chat.ChatCompletionChunk` (openai-python 3.54). The order for each
choice: `{role, content: ""}`, then content and tool deltas, then `{delta: {}, finish_reason}`.
Deltas are most of the work, so what surrounds them is built once a part and not once a delta.
"""

from typing import Any, Final

from gateway.errors import BackendFailed, GatewayError
from gateway.frontend import SSEEncoder, dump, envelope, sse_event
from gateway.types import (
    AnswerPart,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
    WebSearch,
)
from gateway_openai.encode.chat import (
    SYSTEM_FINGERPRINT,
    AnswerFormat,
    encode_usage,
    finish_reason,
    refusal_text,
)
from gateway_openai.encode.searches import SearchFields

DONE: Final = b"data: [DONE]\n\n"

_TEXT: Final = "\0"
"""Stands for the text of a delta in a chunk that is cut in two there."""


class OpenAIEncoder(SSEEncoder):
    """A stream of either endpoint, which shows failures alike."""

    def fail(self, error: GatewayError) -> bytes:
        """An error event. Clients raise on it; `[DONE]` must not follow."""
        return sse_event(envelope(error))


class ChunkEncoder(OpenAIEncoder):
    """Encodes the events of all choices of one answer."""

    def __init__(self, form: AnswerFormat, choices: int) -> None:
        self._form = form
        self._choices = [_ChoiceEncoder(form, index) for index in range(choices)]

    def encode(self, choice: int, event: StreamEvent) -> bytes:
        """The chunks for one event of one choice; often one, sometimes none.

        Raises `BackendFailed` for more of a part that never began.
        """
        return self._choices[choice].encode(event)

    def finish(self) -> bytes:
        """What comes after the last choice's end."""
        if not self._form.include_usage:
            return DONE
        usage = encode_usage([choice.usage for choice in self._choices])
        return sse_event({**_frame(self._form, []), "usage": usage}) + DONE


class _ChoiceEncoder:
    def __init__(self, form: AnswerFormat, index: int) -> None:
        self._form = form
        self._index = index
        self._started = False
        self._around: dict[int, tuple[bytes, bytes] | None] = {}
        self._silent_calls: set[int] = set()
        self._calls = 0
        self._searches = SearchFields()
        self.usage = Usage()

    def encode(self, event: StreamEvent) -> bytes:
        if isinstance(event, PartDelta):
            return self._delta(event.index, event.text)
        opening = b"" if self._started else self._chunk({"role": "assistant", "content": ""})
        self._started = True
        match event:
            case PartStart():
                return opening + self._start(event.index, event.part)
            case PartEnd(index=index) if index in self._silent_calls:
                return opening + self._delta(index, "{}")
            case PartEnd():
                self._searches.end(event)
            case PartCitation():
                self._searches.cite(event)
            case UsageUpdate():
                self.usage = event.usage
            case ResponseEnd():
                reason = finish_reason(
                    event.stop_reason, legacy_functions=self._form.legacy_functions
                )
                refusal = refusal_text(event)
                said = self._chunk({"refusal": refusal}) if refusal else b""
                if fields := self._searches.fields():
                    said += self._chunk(fields)
                return opening + said + self._chunk({}, reason)
        return opening

    def _delta(self, part: int, text: str) -> bytes:
        try:
            around = self._around[part]
        except KeyError:
            raise BackendFailed(f"part {part} of the answer never began") from None
        if around is None or not text:
            return b""
        self._silent_calls.discard(part)
        self._searches.count(part, text)
        return around[0] + dump(text) + around[1]

    def _start(self, index: int, part: AnswerPart) -> bytes:
        match part:
            case Text():
                self._around[index] = self._cut({"content": _TEXT})
                self._searches.begin_text(index)
            case WebSearch():
                self._around[index] = None
            case Thinking():
                field = self._form.thinking
                self._around[index] = None if field == "off" else self._cut({field: _TEXT})
            case call:
                return self._start_call(index, call)
        return b""

    def _start_call(self, index: int, call: ToolCall) -> bytes:
        number = self._calls
        self._calls += 1
        self._silent_calls.add(index)
        function = {"name": call.name, "arguments": ""}
        if not self._form.legacy_functions:
            head = {"index": number, "id": call.id, "type": "function", "function": function}
            more = {"index": number, "function": {"arguments": _TEXT}}
            self._around[index] = self._cut({"tool_calls": [more]})
            return self._chunk({"tool_calls": [head]})
        if number > 0:
            # The older form has room for one call; the request asked for no more.
            self._around[index] = None
            return b""
        self._around[index] = self._cut({"function_call": {"arguments": _TEXT}})
        return self._chunk({"function_call": function})

    def _cut(self, delta: dict[str, Any]) -> tuple[bytes, bytes]:
        before, _, after = self._chunk(delta).rpartition(dump(_TEXT))
        return before, after

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {
            "index": self._index,
            "delta": delta,
            "logprobs": None,
            "finish_reason": finish,
        }
        frame = _frame(self._form, [choice])
        return sse_event({**frame, "usage": None} if self._form.include_usage else frame)


def _frame(form: AnswerFormat, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": form.id,
        "object": "chat.completion.chunk",
        "created": form.created,
        "model": form.model,
        "system_fingerprint": SYSTEM_FINGERPRINT,
        "choices": choices,
    }
