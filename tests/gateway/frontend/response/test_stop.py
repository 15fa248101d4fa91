"""Cutting the text at stop sequences that the backend can't be given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.frontend.response.stop import StopCutter, TokensSoFar
from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)


def cut(sequences: tuple[str, ...], *deltas: str) -> tuple[str, str | None]:
    """The text that is left, and the sequence that was found."""
    cutter = StopCutter(sequences)
    events: list[StreamEvent] = [
        PartStart(index=0, part=Text(text="")),
        *(PartDelta(index=0, text=delta) for delta in deltas),
        PartEnd(index=0),
        ResponseEnd(stop_reason="end"),
    ]
    passed: list[StreamEvent] = []
    for event in events:
        passed += cutter.feed(event)
        if cutter.hit is not None:
            break
    assert [event for event in passed if not isinstance(event, PartDelta)] == [
        PartStart(index=0, part=Text(text="")),
        PartEnd(index=0),
        *([] if cutter.hit else [ResponseEnd(stop_reason="end")]),
    ]
    return "".join(event.text for event in passed if isinstance(event, PartDelta)), cutter.hit


@pytest.mark.parametrize(
    ("sequences", "deltas", "left", "hit"),
    [
        (("\n\n",), ["one two"], "one two", None),
        (("\n\n",), ["one\n\ntwo"], "one", "\n\n"),
        (("\n\n",), ["one\n", "\ntwo"], "one", "\n\n"),
        (("\n\n",), ["one", "\n", "\n", "two"], "one", "\n\n"),
        (("\n\n",), ["one\n", "two"], "one\ntwo", None),
        (("\n\n",), ["one\n"], "one\n", None),
        (("\n\n",), ["\n\none"], "", "\n\n"),
        ((" ", "\n"), ["one\ntwo three"], "one", "\n"),
        (("\n\n\n", "\n\n"), ["one\n\n\ntwo"], "one", "\n\n"),
        ((" \n\t", "\n"), ["one \n\t"], "one ", "\n"),
        (("  ",), ["one ", " "], "one", "  "),
    ],
)
def test_the_text_ends_where_the_sequence_begins(
    sequences: tuple[str, ...], deltas: list[str], left: str, hit: str | None
) -> None:
    assert cut(sequences, *deltas) == (left, hit)


CALL = ToolCall(id="a", name="f")


@pytest.mark.parametrize(
    ("between", "second", "left", "hit"),
    [
        (None, "\ntwo", "one", "\n\n"),
        (Thinking(text=""), "\ntwo", "one", "\n\n"),
        (CALL, "\ntwo", "one\n\ntwo", None),
        (None, "two", "one\ntwo", None),
    ],
)
def test_to_the_client_several_texts_are_one(
    between: Thinking | ToolCall | None, second: str, left: str, hit: str | None
) -> None:
    parts = [
        (Text(text=""), "one\n"),
        *([(between, "")] if between else []),
        (Text(text=""), second),
    ]
    cutter = StopCutter(("\n\n",))
    passed: list[StreamEvent] = []
    for index, (part, text) in enumerate(parts):
        passed += cutter.feed(PartStart(index=index, part=part))
        passed += cutter.feed(PartDelta(index=index, text=text))
        if cutter.hit is None:
            passed += cutter.feed(PartEnd(index=index))
    if cutter.hit is None:
        passed += cutter.feed(ResponseEnd(stop_reason="end"))
    assert "".join(event.text for event in passed if isinstance(event, PartDelta)) == left
    assert cutter.hit == hit
    ended = [event.index for event in passed if isinstance(event, PartEnd)]
    assert sorted(ended) == list(range(len(parts)))


def test_what_may_be_the_beginning_is_held_back_and_nothing_more() -> None:
    cutter = StopCutter(("\n\n",))
    cutter.feed(PartStart(index=0, part=Text(text="")))
    assert cutter.feed(PartDelta(index=0, text="one\n")) == [PartDelta(index=0, text="one")]
    assert cutter.feed(PartDelta(index=0, text="two")) == [PartDelta(index=0, text="\ntwo")]


@pytest.mark.parametrize("part", [Thinking(text=""), ToolCall(id="a", name="f")])
def test_only_text_is_cut(part: Thinking | ToolCall) -> None:
    cutter = StopCutter(("\n",))
    delta = PartDelta(index=0, text="one\ntwo")
    assert cutter.feed(PartStart(index=0, part=part)) == [PartStart(index=0, part=part)]
    assert cutter.feed(delta) == [delta]
    assert cutter.hit is None


@given(
    sequences=st.lists(st.text(alphabet=" \n\t", min_size=1, max_size=3), min_size=1, max_size=4),
    deltas=st.lists(st.text(alphabet=" \n\ta", max_size=4), max_size=8),
)
def test_the_division_into_deltas_makes_no_difference(
    sequences: list[str], deltas: list[str]
) -> None:
    text = "".join(deltas)
    assert cut(tuple(sequences), *deltas) == cut(tuple(sequences), text)
    assert cut(tuple(sequences), *deltas) == cut(tuple(sequences), *text)


@pytest.mark.parametrize(("said", "tokens"), [(0, 10), (1, 10), (12, 12)])
def test_the_tokens_until_then_are_what_was_said_or_what_the_text_takes(
    said: int, tokens: int
) -> None:
    counted = TokensSoFar()
    counted.add(UsageUpdate(usage=Usage(input_tokens=5, output_tokens=said)))
    counted.add(PartDelta(index=0, text="x" * 35))
    assert counted.usage == Usage(input_tokens=5, output_tokens=tokens)
