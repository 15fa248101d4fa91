"""From the API's streaming events to the hub's."""

from typing import Any

import pytest

from gateway.errors import BackendFailed
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
from gateway_claude_code.events import EventReader, plain_id, read_stream_event
from gateway_claude_code.tool_names import ToolNames

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

    def __init__(self, *events: Event) -> None:
        self.reader = EventReader(ToolNames(["get.time"]))
        self.events: list[StreamEvent] = []
        for event in events:
            self.events += read_stream_event(self.reader, {"event": event})


def read(*events: Event) -> list[StreamEvent]:
    return Reading(*events).events


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
        ("tool_use", "tool_calls"),
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


STRUCTURED = (
    block(0, "tool_use", id="toolu_1", name="StructuredOutput", input={}),
    delta(0, type="input_json_delta", partial_json='{"a":1}'),
    stop(0),
)


def test_structured_output_is_the_answers_text() -> None:
    assert read(*STRUCTURED) == [
        PartStart(index=0, part=Text(text="")),
        PartDelta(index=0, text='{"a":1}'),
        PartEnd(index=0),
    ]


@pytest.mark.parametrize(
    ("reason", "stop_reason"), [("tool_use", "end"), ("max_tokens", "max_tokens")]
)
def test_structured_output_ends_as_text_does(reason: str, stop_reason: Any) -> None:
    assert read(*STRUCTURED, end(reason))[-1] == ResponseEnd(stop_reason=stop_reason)


# -- attempts that were given up ----------------------------------------------------------


@pytest.mark.parametrize("event", [end(None), {"type": "message_delta"}])
def test_an_attempt_that_was_given_up_is_no_end(event: Event) -> None:
    reading = Reading(start(), event, {"type": "message_stop", "abandoned_blocks": {}})
    assert reading.events == [ResponseStart(model="claude-test")]
    assert not reading.reader.ended


def test_a_second_start_is_an_error() -> None:
    with pytest.raises(BackendFailed, match="broke off and began again"):
        read(start(), start())


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
    with pytest.raises(BackendFailed, match="makes no sense"):
        read_stream_event(EventReader(ToolNames([])), line)
