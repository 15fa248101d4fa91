"""From the API's streaming events to the hub's."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.events import (
    EventReader,
    plain_id,
    read_stream_event,
)
from gateway_claude_code.response.json_answer import (
    JsonAnswer,
    ObjectAnswer,
    SchemaAnswer,
)
from tests.claude_code.response.event_support import (
    STRUCTURED,
    Event,
    Reading,
    a_schema,
    block,
    delta,
    end,
    read,
    start,
    stop,
)

# -- each event ---------------------------------------------------------------------------


def test_the_start_says_which_model_answers() -> None:
    assert read(start()) == [ResponseStart(model="claude-test")]


def test_the_start_counts_the_input() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 9}
    counted = Usage(input_tokens=5, cache_read_tokens=7, cache_write_tokens=9)
    assert read(start(usage=usage))[1:] == [UsageUpdate(usage=counted)]


def test_text() -> None:
    assert read(block(0, "text", text=""), delta(0, type="text_delta", text="Hi"), stop(0)) == [
        PartStart(index=0, part=Text(text="")),
        PartDelta(index=0, text="Hi"),
        PartEnd(index=0),
    ]


def test_thinking_ends_with_its_signature() -> None:
    assert read(
        block(0, "thinking", thinking=""),
        delta(0, type="thinking_delta", thinking="Hm"),
        delta(0, type="signature_delta", signature="ab"),
        delta(0, type="signature_delta", signature="cd"),
        stop(0),
    ) == [
        PartStart(index=0, part=Thinking(text="")),
        PartDelta(index=0, text="Hm"),
        PartEnd(index=0, signature="abcd"),
    ]


def test_a_tool_call_has_the_clients_name() -> None:
    assert read(
        block(1, "tool_use", id="toolu_1", name="mcp__t__get_time", input={}),
        delta(1, type="input_json_delta", partial_json='{"a":'),
        delta(1, type="input_json_delta", partial_json="1}"),
        stop(1),
    ) == [
        PartStart(index=1, part=ToolCall(id="toolu1", name="get.time", arguments="")),
        PartDelta(index=1, text='{"a":'),
        PartDelta(index=1, text="1}"),
        PartEnd(index=1),
    ]


@pytest.mark.parametrize(
    ("given", "plain"), [("toolu_01Ab", "toolu01Ab"), ("a-b.c:1", "abc1"), ("x1", "x1")]
)
def test_a_calls_id_is_letters_and_digits(given: str, plain: str) -> None:
    assert plain_id(given) == plain


@pytest.mark.parametrize(("kind", "field"), [("text", "text"), ("thinking", "thinking")])
def test_what_stands_in_a_blocks_start_is_not_lost(kind: str, field: str) -> None:
    assert read(block(0, kind, **{field: "Hi"}))[1:] == [PartDelta(index=0, text="Hi")]


def test_an_empty_delta_is_no_event() -> None:
    assert read(block(0, "text"), delta(0, type="input_json_delta", partial_json=""))[1:] == []


@pytest.mark.parametrize(
    "event",
    [
        {"type": "ping"},
        {"type": "message_stop"},
        {"type": "something_new"},
        {},
        block(0, "server_tool_use", name="code_execution"),
        block(0, "redacted_thinking", data="x"),
        delta(0, type="text_delta", text="of no block"),
        stop(0),
    ],
)
def test_what_is_not_part_of_an_answer_is_left_out(event: Event) -> None:
    assert read(event) == []


def test_all_of_a_block_that_is_not_known_is_left_out() -> None:
    assert read(block(0, "new"), delta(0, type="text_delta", text="x"), stop(0)) == []


def test_a_delta_that_is_not_known_is_left_out() -> None:
    assert read(block(0, "text"), delta(0, type="citations_delta", citation={}))[1:] == []


def test_a_subagents_events_are_left_out() -> None:
    line = {"event": start(), "parent_tool_use_id": "toolu_1"}
    assert read_stream_event(EventReader(ToolNames([])), line) == []


# -- the end ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "stop_reason"),
    [
        ("end_turn", "end"),
        ("pause_turn", "max_tokens"),  # there is more to come, but not by this CLI
        ("stop_sequence", "stop_sequence"),
        ("max_tokens", "max_tokens"),
        ("model_context_window_exceeded", "max_tokens"),
        ("tool_use", "end"),  # without a call
        ("refusal", "refusal"),
        ("something_new", "end"),
    ],
)
def test_stop_reasons(reason: str, stop_reason: Any) -> None:
    assert read(end(reason)) == [ResponseEnd(stop_reason=stop_reason)]


def test_the_stop_sequence_is_passed_on() -> None:
    assert read(end("stop_sequence", stop_sequence="END")) == [
        ResponseEnd(stop_reason="stop_sequence", stop_sequence="END")
    ]


def test_the_end_counts_the_output_and_keeps_the_input() -> None:
    usage = {"output_tokens": 11, "output_tokens_details": {"thinking_tokens": 4}}
    counted = Usage(input_tokens=5, output_tokens=11, reasoning_tokens=4)
    events = read(start(usage={"input_tokens": 5}), end("end_turn", usage))
    assert events[-2:] == [UsageUpdate(usage=counted), ResponseEnd(stop_reason="end")]


def test_a_usage_that_says_nothing_new_is_no_event() -> None:
    usage = {"input_tokens": 5, "output_tokens": None}
    events = read(start(usage={"input_tokens": 5}), end("end_turn", usage))
    assert events[2:] == [ResponseEnd(stop_reason="end")]


def test_parts_that_are_open_at_the_end_are_closed() -> None:
    assert read(block(1, "text"), block(0, "text"), end("max_tokens"))[2:] == [
        PartEnd(index=0),
        PartEnd(index=1),
        ResponseEnd(stop_reason="max_tokens"),
    ]


def test_a_reader_says_how_far_the_answer_is() -> None:
    states = [
        (reading.reader.started, reading.reader.ended)
        for reading in (Reading(), Reading(start()), Reading(start(), end("end_turn")))
    ]
    assert states == [(False, False), (True, False), (True, True)]


# -- structured output --------------------------------------------------------------------


def test_structured_output_is_the_answers_text() -> None:
    assert read(*STRUCTURED, answer=a_schema()) == [
        PartStart(index=0, part=Text(text="")),
        PartDelta(index=0, text='{"a":1}'),
        PartEnd(index=0),
    ]


@pytest.mark.parametrize(
    ("reason", "stop_reason"), [("tool_use", "end"), ("max_tokens", "max_tokens")]
)
def test_structured_output_ends_as_text_does(reason: str, stop_reason: Any) -> None:
    events = read(*STRUCTURED, end(reason), answer=a_schema())
    assert events[-1] == ResponseEnd(stop_reason=stop_reason)


@pytest.mark.parametrize("answer", [None, ObjectAnswer()], ids=["text", "json_object"])
def test_without_a_schema_structured_output_is_a_tool_that_there_is_not(
    answer: JsonAnswer | None,
) -> None:
    assert read(*STRUCTURED, answer=answer) == []


def test_output_that_the_cli_can_only_repeat_is_wanted_with_a_schema_alone() -> None:
    answers = (None, ObjectAnswer(), a_schema())
    wanted = [EventReader(ToolNames([]), answer).wants_output for answer in answers]
    assert wanted == [False, False, True]


# -- the answer does not depend on how it is cut ------------------------------------------

PROSE = 'Sure: {not this} ```json\n{"a": "}{\\"\\\\", "b": [{"c": null}]}\n``` and done'

OUTPUT_TEXT = '{"value": "a \\"}]\\\\ b"}'


@pytest.mark.parametrize(
    ("text", "kind", "answer", "whole"),
    [
        (PROSE, "text", lambda: None, PROSE),
        (PROSE, "text", ObjectAnswer, PROSE[PROSE.index('{"a"') : PROSE.index("\n``` and")]),
        ('{"a": "prose"}', "text", a_schema, '{"a": "prose"}'),
        (
            OUTPUT_TEXT,
            "tool_use",
            lambda: SchemaAnswer(AnswerSchema.of({"type": "string"})),
            OUTPUT_TEXT[len('{"value": ') : -1],
        ),
    ],
    ids=["text", "json_object", "prose of a schema", "wrapped output"],
)
@given(data=st.data())
def test_any_chunking_gives_the_same_text(
    data: st.DataObject,
    text: str,
    kind: str,
    answer: Callable[[], JsonAnswer | None],
    whole: str,
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1))))
    pieces = [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]
    field = {"text": "text", "tool_use": "partial_json"}[kind]
    fields = {"id": "toolu_1", "name": "StructuredOutput"} if kind == "tool_use" else {}
    events = read(
        start(),
        block(0, kind, **fields),
        *(delta(0, **{field: piece}) for piece in pieces),
        stop(0),
        end("end_turn"),
        answer=answer(),
    )
    assert "".join(event.text for event in events if isinstance(event, PartDelta)) == whole
    assert events[-1] == ResponseEnd(stop_reason="end")
