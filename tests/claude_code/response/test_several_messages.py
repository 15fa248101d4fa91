"""Answers of several messages: the CLI goes on after a call or prose that nobody asked for."""

import pytest

from gateway.errors import BackendFailed
from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    Text,
    ToolCall,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.response.events import (
    MOST_MESSAGES,
)
from gateway_claude_code.response.json_answer import (
    NOT_AS_ASKED,
)
from tests.claude_code.response.event_support import (
    KNOWN,
    STRUCTURED,
    UNKNOWN,
    Event,
    Reading,
    a_schema,
    block,
    call,
    delta,
    end,
    read,
    said,
    start,
)


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
