"""Events of an answer in short, and what an answer in JSON makes of them."""

from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from gateway.errors import BackendFailed
from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    StopReason,
    StreamEvent,
    Text,
    ToolCall,
)
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.response.json_answer import (
    NOT_AS_ASKED,
    OUTPUT,
    JsonAnswer,
    SchemaAnswer,
)

OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}

LIST = {"type": "array", "items": {"type": "integer"}}

CUT: tuple[StopReason, ...] = ("max_tokens", "refusal", "stop_sequence")


def of(schema: dict[str, Any]) -> SchemaAnswer:
    return SchemaAnswer(AnswerSchema.of(schema))


def part(index: int, part: Any, *texts: str) -> list[StreamEvent]:
    deltas = [PartDelta(index=index, text=text) for text in texts]
    return [PartStart(index=index, part=part), *deltas, PartEnd(index=index)]


def said(index: int, *texts: str) -> list[StreamEvent]:
    return part(index, Text(text=""), *texts)


def call(index: int, *arguments: str, name: str = "look") -> list[StreamEvent]:
    return part(index, ToolCall(id=f"c{index}", name=name, arguments=""), *arguments)


def output(index: int, *arguments: str) -> list[StreamEvent]:
    return call(index, *arguments, name=OUTPUT)


def end(reason: StopReason = "end") -> list[StreamEvent]:
    return [ResponseEnd(stop_reason=reason)]


def fed(answer: JsonAnswer, *events: list[StreamEvent]) -> list[StreamEvent]:
    """The events that come of these, as a conversation has them: it checks before the end."""

    def each() -> Iterator[StreamEvent]:
        for some in events:
            for event in some:
                yield from answer.feed(event)

    found = list(each())
    if answer.complete is not None:
        anyio.run(answer.complete.check)
    return found


def joined(events: list[StreamEvent]) -> str:
    """All text of the events."""
    return "".join(event.text for event in events if isinstance(event, PartDelta))


def problem(answer: JsonAnswer, *events: list[StreamEvent]) -> str:
    """What the failure says that these events end in."""
    with pytest.raises(BackendFailed) as caught:
        fed(answer, *events)
    assert caught.value.code == NOT_AS_ASKED == "invalid_model_output"
    before, _, said = caught.value.message.partition(": ")
    assert before == "The model's answer violates the requested format"
    return said.removesuffix(".")
