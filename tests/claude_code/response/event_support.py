"""The API's streaming events in short, and what is read of them."""

from typing import Any

from gateway.types import (
    StreamEvent,
)
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.events import (
    EventReader,
    read_stream_event,
)
from gateway_claude_code.response.json_answer import (
    JsonAnswer,
    SchemaAnswer,
)

Event = dict[str, Any]


def start(**message: Any) -> Event:
    return {"type": "message_start", "message": {"model": "claude-test", **message}}


def block(index: int, kind: str, **fields: Any) -> Event:
    content = {"type": kind, **fields}
    return {"type": "content_block_start", "index": index, "content_block": content}


def delta(index: int, **fields: Any) -> Event:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def stop(index: int) -> Event:
    return {"type": "content_block_stop", "index": index}


def end(reason: str | None, usage: dict[str, Any] | None = None, **fields: Any) -> Event:
    body = {"stop_reason": reason, **fields}
    return {"type": "message_delta", "delta": body, "usage": usage}


class Reading:
    """A reader, and the hub's events for all that it was given."""

    def __init__(self, *events: Event, answer: JsonAnswer | None = None) -> None:
        self.reader = EventReader(ToolNames(["get.time"]), answer)
        self.events: list[StreamEvent] = []
        self.take(*events)

    def take(self, *events: Event) -> None:
        for event in events:
            self.events += read_stream_event(self.reader, {"event": event})


def read(*events: Event, answer: JsonAnswer | None = None) -> list[StreamEvent]:
    return Reading(*events, answer=answer).events


def a_schema() -> SchemaAnswer:
    return SchemaAnswer(AnswerSchema.of({"type": "object", "required": ["a"]}))


def call(index: int, name: str, arguments: str = "{}") -> tuple[Event, ...]:
    return (
        block(index, "tool_use", id=f"toolu_{index}", name=name, input={}),
        delta(index, type="input_json_delta", partial_json=arguments),
        stop(index),
    )


def said(index: int, text: str) -> tuple[Event, ...]:
    return block(index, "text", text=text), stop(index)


STRUCTURED = call(0, "StructuredOutput", '{"a":1}')


UNKNOWN = call(0, "Bash")

KNOWN = call(1, "mcp__t__get_time")
