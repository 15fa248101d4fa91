"""Events that are given up, make no sense, or are at odds with each other."""

import pytest

from gateway.errors import BackendFailed
from gateway.streams import AnswerBuilder
from gateway.testing import check_events
from gateway.types import (
    PartDelta,
    ResponseEnd,
    ResponseStart,
    Text,
    Thinking,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.events import (
    EventReader,
    read_stream_event,
)
from tests.claude_code.response.event_support import (
    Event,
    Reading,
    block,
    delta,
    end,
    read,
    start,
    stop,
)

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
    with pytest.raises(BackendFailed, match="was interrupted and restarted"):
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
    with pytest.raises(BackendFailed, match="invalid event"):
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
