"""The API's own structured output: text that streams, and is checked at the end."""

from collections.abc import Iterator
from typing import Any, get_args

import anyio
import pytest

from gateway.errors import BackendFailed
from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseFormat,
    StopReason,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.events import EventReader
from gateway_claude_code.response.json_answer import JsonAnswer, json_answer

INTEGER = {"type": "integer"}
OBJECT = {"type": "object", "properties": {"a": INTEGER}, "required": ["a"]}
LIST = {"type": "array", "items": INTEGER}
NAMED = {"type": "object", "properties": {"größe": INTEGER}, "required": ["größe"]}
SMALL = {"type": "object", "properties": {"a": {**INTEGER, "maximum": 3}}, "required": ["a"]}
CUT = [reason for reason in get_args(StopReason) if reason not in ("end", "tool_calls")]


def of(schema: dict[str, Any]) -> JsonAnswer:
    form = ResponseFormat(kind="json_schema", schema=schema)
    answer = json_answer(form, AnswerSchema.of(schema), native=True)
    assert answer is not None
    return answer


def part(index: int, part: Any, *texts: str) -> list[StreamEvent]:
    deltas = [PartDelta(index=index, text=text) for text in texts]
    return [PartStart(index=index, part=part), *deltas, PartEnd(index=index)]


def said(index: int, *texts: str) -> list[StreamEvent]:
    return part(index, Text(text=""), *texts)


def call(index: int, arguments: str = "{}") -> list[StreamEvent]:
    return part(index, ToolCall(id=f"c{index}", name="look", arguments=""), arguments)


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


@pytest.mark.parametrize(
    ("schema", "pieces", "shown"),
    [
        (OBJECT, ["", '{"a"', ":1}"], ["", '{"a"', ":1}"]),
        (LIST, ['{"val', 'ue": [1', ", 2]", "}"], ["", "[1", ", 2]", ""]),
        (NAMED, ['{"gro', 'sse":', "1}"], ["{", '"größe":', "1}"]),
    ],
)
def test_the_text_streams_as_it_comes(
    schema: dict[str, Any], pieces: list[str], shown: list[str]
) -> None:
    answer = of(schema)
    assert fed(answer, said(0)[:1]) == said(0)[:1]
    for piece, text in zip(pieces, shown, strict=True):
        expected = [PartDelta(index=0, text=text)] if text else []
        assert fed(answer, [PartDelta(index=0, text=piece)]) == expected
    assert fed(answer, said(0)[1:], end()) == [*said(0)[1:], *end()]


@pytest.mark.parametrize(
    ("schema", "pieces", "problem"),
    [
        (OBJECT, ['{"b":1}'], '"a" is a required property'),
        (SMALL, ['{"a":4}'], "a: 4 is greater than the maximum of 3"),
        (NAMED, ['{"grosse":"x"}'], 'größe: "x" is not of type "integer"'),
        (LIST, ['{"value": ["x"]}'], '[0]: "x" is not of type "integer"'),
        (OBJECT, ['{"a":'], "it is not JSON"),
        (OBJECT, ["I can't."], "it is not JSON"),
        (OBJECT, [], "it is not JSON"),
    ],
)
@pytest.mark.parametrize("reason", ["end", "tool_calls"])
def test_an_answer_that_misses_the_clients_schema_is_a_failure_at_the_end(
    schema: dict[str, Any], pieces: list[str], problem: str, reason: StopReason
) -> None:
    answer = of(schema)
    fed(answer, said(0, *pieces))
    with pytest.raises(BackendFailed, match="violates the requested format") as caught:
        fed(answer, end(reason))
    assert caught.value.code == "invalid_model_output"
    assert f": {problem}." in caught.value.message


@pytest.mark.parametrize("reason", CUT)
@pytest.mark.parametrize("text", ['{"a"', "I can't help with that."])
def test_an_answer_that_was_cut_or_refused_is_passed_on(reason: StopReason, text: str) -> None:
    events = [*said(0, text), *end(reason)]
    assert fed(of(OBJECT), events) == events


def test_a_name_that_was_cut_is_passed_on() -> None:
    events = fed(of(NAMED), said(0, '{"gros'), end("max_tokens"))
    assert events == [*said(0, "{", '"gros'), *end("max_tokens")]


@pytest.mark.parametrize("schema", [OBJECT, LIST, NAMED])
@pytest.mark.parametrize("reason", ["tool_calls", "end"])
def test_beside_calls_text_is_not_checked(schema: dict[str, Any], reason: StopReason) -> None:
    events = [*said(0, "Let me", " look."), *call(1), *said(2, "Wait."), *end(reason)]
    assert fed(of(schema), events) == events


@pytest.mark.parametrize(
    "other", [[UsageUpdate(usage=Usage(input_tokens=1))], part(0, Thinking(text=""), '{"grosse"')]
)
def test_everything_else_goes_on_as_it_is(other: list[StreamEvent]) -> None:
    assert fed(of(NAMED), other) == other


def test_thinking_is_no_part_of_the_json() -> None:
    events = [*part(0, Thinking(text=""), "hm"), *said(1, '{"a":1}'), *end()]
    assert fed(of(OBJECT), events) == events


@pytest.mark.parametrize(
    ("schema", "text", "verbatim"),
    [
        (OBJECT, '{"a": 1}', True),
        (LIST, '{"value": [1]}', False),
        (LIST, "[1]", True),
        (NAMED, '{"grosse": 1}', False),
    ],
)
def test_an_answer_is_verbatim_unless_it_had_to_be_changed(
    schema: dict[str, Any], text: str, *, verbatim: bool
) -> None:
    answer = of(schema)
    fed(answer, said(0, text), end())
    assert answer.verbatim is verbatim


def test_the_model_is_asked_once_and_the_clis_tool_is_not_wanted() -> None:
    answer = of(OBJECT)
    assert answer.satisfied
    assert not EventReader(ToolNames([]), answer).wants_output
