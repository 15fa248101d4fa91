"""Halves of characters, in texts and in streams."""

import pytest

from gateway.content.surrogates import HalvesJoiner, whole_characters
from gateway.testing import answer, part
from gateway.types import PartDelta, StreamEvent, Text, Thinking, ToolCall

KINDS = [Text(text=""), Thinking(text=""), ToolCall(id="a", name="f", arguments="")]


def texts(events: list[StreamEvent]) -> list[str]:
    joiner = HalvesJoiner()
    found = [out for event in events for out in joiner.feed(event)]
    assert [event for event in found if not isinstance(event, PartDelta)] == [
        event for event in events if not isinstance(event, PartDelta)
    ]
    return [event.text for event in found if isinstance(event, PartDelta)]


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("", ""),
        ("ü😀", "ü😀"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00b", "\ufffdb"),
        ("\ud83d\ude00", "😀"),
        ("\ud83d\ud83d\ude00\ude00", "\ufffd😀\ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_a_text(written: str, whole: str) -> None:
    assert whole_characters(written) == whole


@pytest.mark.parametrize("kind", KINDS, ids=["text", "thinking", "call"])
@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        (["a\ud83d", "\ude00b"], ["a", "😀b"]),
        (["\ud83d", "\ude00"], ["😀"]),
        (["\ud83d", "x"], ["\ufffdx"]),
        (["a", "\ud83d"], ["a", "\ufffd"]),
        (["\ud83d", "\ud83d", "\ude00"], ["\ufffd", "😀"]),
        (["\ude00"], ["\ufffd"]),
        (["a\ud83d\ude00", "b"], ["a😀", "b"]),
    ],
)
def test_a_stream(kind: Text | Thinking | ToolCall, sent: list[str], arrives: list[str]) -> None:
    assert texts(answer(part(0, kind, *sent))) == arrives


def test_parts_that_come_side_by_side_keep_their_own_halves() -> None:
    mixed: list[StreamEvent] = [
        PartDelta(index=0, text="a\ud83d"),
        PartDelta(index=1, text="\ude00"),
        PartDelta(index=0, text="\ude00"),
    ]
    assert texts(mixed) == ["a", "\ufffd", "😀"]
