"""An answer's first events, which wait for something that the client can see."""

import pytest

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
from gateway_claude_code.conversations.held_start import HELD_SECONDS, HeldStart
from tests.clock import Clock

START = ResponseStart(model="m")
USAGE = UsageUpdate(usage=Usage(input_tokens=1))
TEXT, THINKING = (PartStart(index=0, part=part) for part in (Text(text=""), Thinking(text="")))
CALL = PartStart(index=1, part=ToolCall(id="a", name="f"))
WORDS = PartDelta(index=0, text="Hi")


def sent_on(*events: StreamEvent) -> list[int]:
    """How many events go out with each."""
    held = HeldStart(Clock())
    return [len(list(held.feed(event))) for event in events]


@pytest.mark.parametrize(
    ("events", "counts"),
    [
        ((START, USAGE, TEXT, WORDS, WORDS), [0, 0, 0, 4, 1]),
        ((START, THINKING, WORDS), [0, 0, 3]),
        ((START, THINKING, PartDelta(index=0, text=""), PartEnd(index=0)), [0, 0, 0, 0]),
        ((START, THINKING, PartEnd(index=0), CALL), [0, 0, 0, 4]),
        ((START, TEXT, PartEnd(index=0), ResponseEnd(stop_reason="end")), [0, 0, 0, 4]),
    ],
)
def test_the_first_words_the_first_call_or_the_end_let_all_out(
    events: tuple[StreamEvent, ...], counts: list[int]
) -> None:
    assert sent_on(*events) == counts


def test_the_order_stays() -> None:
    held = HeldStart(Clock())
    assert [out for event in (START, TEXT, WORDS) for out in held.feed(event)] == [
        START,
        TEXT,
        WORDS,
    ]


def test_the_wait_is_counted_from_the_first_event_that_is_held() -> None:
    clock = Clock()
    held = HeldStart(clock)
    assert held.seconds_left is None
    list(held.feed(START))
    clock.now += 2
    list(held.feed(USAGE))
    assert held.seconds_left == HELD_SECONDS - 2
    clock.now += 60
    assert held.seconds_left == 0


def test_after_the_wait_everything_goes_out_at_once() -> None:
    held = HeldStart(Clock())
    list(held.feed(START))
    assert list(held.release()) == [START]
    assert held.seconds_left is None
    assert list(held.feed(THINKING)) == [THINKING]
