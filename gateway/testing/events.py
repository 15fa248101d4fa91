"""Short ways to write down the events of an answer, and a request for one."""

from typing import Any

from gateway.types import (
    ChatRequest,
    Message,
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

TEST_MODEL = "test-model"
"""The model that there is unless a configuration names its own."""


def request(text: str = "Hi", **fields: Any) -> ChatRequest:  # noqa: ANN401 - fields of ChatRequest
    """A request of one message for the test model; `fields` are those of `ChatRequest`."""
    message = Message(role="user", parts=(Text(text=text),))
    return ChatRequest(**{"model": TEST_MODEL, "messages": (message,), **fields})


def part(index: int, kind: Text | Thinking | ToolCall, *pieces: str) -> list[StreamEvent]:
    """The events of one whole part."""
    return [
        PartStart(index=index, part=kind),
        *(PartDelta(index=index, text=piece) for piece in pieces),
        PartEnd(index=index),
    ]


def answer(
    *parts: list[StreamEvent],
    stop_reason: StopReason = "end",
    usage: Usage | None = None,
    model: str = "scripted-1",
) -> list[StreamEvent]:
    """The events of one whole answer."""
    return [
        ResponseStart(model=model),
        *(event for events in parts for event in events),
        UsageUpdate(usage=usage or Usage(input_tokens=3, output_tokens=2)),
        ResponseEnd(stop_reason=stop_reason),
    ]


def text_answer(*pieces: str) -> list[StreamEvent]:
    """An answer of one text, in these pieces."""
    return answer(part(0, Text(text=""), *pieces))
