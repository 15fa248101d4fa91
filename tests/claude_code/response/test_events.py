"""From the API's streaming events to the hub's."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BackendFailed
from gateway.streams import AnswerBuilder
from gateway.testing import check_events
from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.events import (
    MOST_MESSAGES,
    EventReader,
    plain_id,
    read_stream_event,
)
from gateway_claude_code.response.json_answer import (
    NOT_AS_ASKED,
    JsonAnswer,
    ObjectAnswer,
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
        block(0, "server_tool_use", name="web_search"),
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
        ("pause_turn", "end"),
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


# -- answers of several messages ----------------------------------------------------------


UNKNOWN = call(0, "Bash")
KNOWN = call(1, "mcp__t__get_time")


def test_after_calls_of_unknown_tools_the_answer_goes_on_with_the_next_message() -> None:
    reading = Reading(
        start(),
        *said(0, "Hm. "),
        *call(1, "Bash"),
        end("tool_use"),
        start(model="another"),
        *said(0, "So."),
        *call(1, "mcp__t__get_time"),
        end("tool_use"),
    )
    assert reading.events == [
        ResponseStart(model="claude-test"),
        PartStart(index=0, part=Text(text="")),
        PartDelta(index=0, text="Hm. "),
        PartEnd(index=0),
        PartStart(index=1, part=Text(text="")),
        PartDelta(index=1, text="So."),
        PartEnd(index=1),
        PartStart(index=2, part=ToolCall(id="toolu1", name="get.time", arguments="")),
        PartDelta(index=2, text="{}"),
        PartEnd(index=2),
        ResponseEnd(stop_reason="tool_calls"),
    ]


def test_between_two_messages_the_answer_has_neither_ended_nor_is_it_in_one() -> None:
    reader = Reading(start(), *UNKNOWN, end("tool_use")).reader
    assert (reader.started, reader.in_message, reader.ended) == (True, False, False)


def test_a_part_that_is_open_when_a_message_is_given_up_takes_no_more() -> None:
    events = read(
        start(),
        block(0, "text"),
        *call(1, "Bash"),
        end("tool_use"),
        start(),
        delta(0, type="text_delta", text="of no block"),
    )
    assert not [event for event in events if isinstance(event, PartDelta)]


def test_the_usage_of_several_messages_adds_up() -> None:
    first = {
        "input_tokens": 5,
        "cache_read_input_tokens": 10,
        "cache_creation_input_tokens": 20,
        "output_tokens": 1,
    }
    last = {"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 3}}
    message = (start(usage=first), *UNKNOWN, end("tool_use", last))
    final = (start(usage=first), *said(0, "Hi"), end("end_turn", last))
    totals = [event.usage for event in read(*message, *final) if isinstance(event, UsageUpdate)]
    once = {"input_tokens": 5, "cache_read_tokens": 10, "cache_write_tokens": 20}
    twice = {name: 2 * value for name, value in once.items()}
    assert totals == [
        Usage(**once, output_tokens=1),
        Usage(**once, output_tokens=7, reasoning_tokens=3),
        Usage(**twice, output_tokens=8, reasoning_tokens=3),
        Usage(**twice, output_tokens=14, reasoning_tokens=6),
    ]


@pytest.mark.parametrize(
    "calls", [(*UNKNOWN, *KNOWN), (*call(0, "mcp__t__get_time"), *call(1, "x"))]
)
def test_beside_a_known_call_an_unknown_one_is_left_out_and_the_answer_ends(
    calls: tuple[Event, ...],
) -> None:
    reading = Reading(start(), *calls, end("tool_use"))
    parts = [event.part for event in reading.events if isinstance(event, PartStart)]
    assert [part.name for part in parts if isinstance(part, ToolCall)] == ["get.time"]
    assert len(parts) == 1
    assert reading.events[-1] == ResponseEnd(stop_reason="tool_calls")


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "stop_sequence", "end_turn"])
def test_an_unknown_call_in_an_answer_that_ends_otherwise_is_left_out(reason: str) -> None:
    reading = Reading(start(), *UNKNOWN, end(reason))
    assert [type(event) for event in reading.events] == [ResponseStart, ResponseEnd]


def test_unknown_calls_without_end_are_the_backends_failure() -> None:
    message = (start(), *UNKNOWN, end("tool_use"))
    reading = Reading(*message * (MOST_MESSAGES - 1))
    assert not reading.reader.ended
    with pytest.raises(BackendFailed, match="kept calling unknown tools"):
        reading.take(*message)


def test_prose_instead_of_the_output_goes_on_with_the_next_message() -> None:
    events = read(
        start(), *said(0, "prose"), end("end_turn"), start(), *STRUCTURED, end("tool_use"),
        answer=a_schema(),
    )  # fmt: skip
    assert events == [
        ResponseStart(model="claude-test"),
        PartStart(index=1, part=Text(text="")),
        PartDelta(index=1, text='{"a":1}'),
        PartEnd(index=1),
        ResponseEnd(stop_reason="end"),
    ]


def test_prose_without_end_does_not_have_the_form_that_was_asked_for() -> None:
    message = (start(), *said(0, "prose"), end("end_turn"))
    reading = Reading(*message * (MOST_MESSAGES - 1), answer=a_schema())
    assert not reading.reader.ended
    with pytest.raises(BackendFailed) as caught:
        reading.take(*message)
    assert caught.value.code == NOT_AS_ASKED


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


# -- attempts that were given up ----------------------------------------------------------


@pytest.mark.parametrize("event", [end(None), {"type": "message_delta"}])
def test_an_attempt_that_was_given_up_is_no_end(event: Event) -> None:
    reading = Reading(start(), event, {"type": "message_stop", "abandoned_blocks": {}})
    assert reading.events == [ResponseStart(model="claude-test")]
    assert not reading.reader.ended


THOUGHT = (block(0, "thinking", thinking=""), delta(0, thinking="Hm"))
USAGE = {"input_tokens": 1}
SAID = (block(0, "text", text=""), delta(0, text="Hi"), stop(0))


@pytest.mark.parametrize(
    "said",
    [
        (block(0, "text", text=""), delta(0, text="H")),
        (block(0, "text", text="H"),),
        (block(0, "tool_use", id="toolu_1", name="mcp__t__get_time"),),
        (*THOUGHT, stop(0), block(1, "text", text=""), delta(1, text="H")),
    ],
)
def test_a_second_start_after_words_or_a_call_is_an_error(said: tuple[Event, ...]) -> None:
    with pytest.raises(BackendFailed, match="broke off and began again"):
        read(start(), *said, start())


@pytest.mark.parametrize(
    ("first", "thought"),
    [
        (THOUGHT, "Hm"),
        ((*THOUGHT, delta(0, signature="s"), stop(0)), "Hm"),
        ((*THOUGHT, stop(0), block(1, "text", text="")), "Hm"),
        ((block(0, "text", text=""), delta(0, text="")), ""),
    ],
)
def test_a_second_start_after_thinking_goes_on_with_the_answer(
    first: tuple[Event, ...], thought: str
) -> None:
    reading = Reading(start(), *first, start(usage=USAGE), *SAID, end("end_turn"))
    check_events(reading.events)
    built = AnswerBuilder()
    for event in reading.events:
        built.add(event)
    parts = built.parts()
    assert "".join(part.text for part in parts if isinstance(part, Thinking)) == thought
    assert "".join(part.text for part in parts if isinstance(part, Text)) == "Hi"
    assert reading.events[-1] == ResponseEnd(stop_reason="end")
    assert reading.reader.messages == 1
    assert not reading.reader.verbatim


def test_a_second_start_after_nothing_is_the_same_answer() -> None:
    reading = Reading(start(), start(), *SAID, end("end_turn"))
    assert [event for event in reading.events if isinstance(event, ResponseStart)] == [
        ResponseStart(model="claude-test")
    ]
    assert reading.events[-1] == ResponseEnd(stop_reason="end")
    assert reading.reader.verbatim


# -- nonsense -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"event": None},
        {"event": []},
        {"event": {"type": "message_start"}},
        {"event": {"type": "message_start", "message": None}},
        {"event": {"type": "message_start", "message": {"usage": [1]}}},
        {"event": {"type": "content_block_start", "index": 0}},
        {"event": {"type": "content_block_start", "index": 0, "content_block": "text"}},
        {"event": {"type": "content_block_start", "index": [], "content_block": {"type": "text"}}},
        {
            "event": {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "tool_use"},
            }
        },
        {"event": {"type": "content_block_delta", "delta": {}}},
        {"event": {"type": "content_block_stop"}},
        {"event": {"type": "message_delta", "delta": {"stop_reason": ["end_turn"]}}},
    ],
)
def test_nonsense_is_the_backends_failure(line: Event) -> None:
    with pytest.raises(BackendFailed, match="malformed event"):
        read_stream_event(EventReader(ToolNames([])), line)


# -- answers that are at odds with themselves ----------------------------------------------

CALL = block(0, "tool_use", id="toolu_1", name="mcp__t__get_time", input={})


@pytest.mark.parametrize("reason", ["end_turn", "pause_turn", "stop_sequence"])
def test_a_call_that_ended_its_turn_is_a_call(reason: str) -> None:
    assert read(start(), CALL, stop(0), end(reason, stop_sequence="x"))[-1] == ResponseEnd(
        stop_reason="tool_calls"
    )


def test_a_call_whose_input_comes_at_once() -> None:
    whole = block(0, "tool_use", id="toolu_1", name="mcp__t__get_time", input={"zone": "é"})
    reading = Reading(start(), whole, stop(0), end("tool_use"))
    assert PartDelta(index=0, text='{"zone": "é"}') in reading.events
    assert not reading.reader.verbatim  # the CLI has lost it


def test_an_input_that_is_streamed_as_well_counts_once() -> None:
    whole = block(0, "tool_use", id="toolu_1", name="mcp__t__get_time", input={"a": 1})
    piece = delta(0, type="input_json_delta", partial_json='{"a":1}')
    deltas = [event for event in read(whole, piece, stop(0)) if isinstance(event, PartDelta)]
    assert deltas == [PartDelta(index=0, text='{"a":1}')]


def test_a_zero_does_not_erase_what_was_counted() -> None:
    first = {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1}
    last = {"input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 9}
    counted = [
        event
        for event in read(start(usage=first), end("end_turn", last))
        if isinstance(event, UsageUpdate)
    ]
    assert counted[-1].usage == Usage(input_tokens=5, cache_read_tokens=7, output_tokens=9)


def test_an_attempt_that_is_made_again_counts_alone() -> None:
    events = read(
        start(usage={"input_tokens": 5, "cache_read_input_tokens": 7}),
        start(usage={"input_tokens": 6}),
    )
    assert isinstance(events[-1], UsageUpdate)
    assert events[-1].usage == Usage(input_tokens=6)


def test_the_words_of_a_refusal_are_passed_on() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    (ended,) = read(end("refusal", stop_details=details))
    assert ended == ResponseEnd(stop_reason="refusal", refusal="Not this.")
