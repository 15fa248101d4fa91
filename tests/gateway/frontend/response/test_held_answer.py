"""Whole answers that are long: held compressed, and the same for the client as any other."""

import json
import random
import sys

import pytest

from gateway.content.surrogates import whole_characters
from gateway.frontend.response.held_answer import (
    PACK_BYTES,
    PIECE_BYTES,
    HeldAnswer,
    PackedText,
    in_pieces,
)
from gateway.types import PartDelta, PartStart, ResponseEnd, StreamEvent, Text, ToolCall, WebSearch

ODD = 'a "quoted"\n\\ tab\t \u2028 é 漢 😀 \ud83d\x00'

LONG = ODD * (3 * PACK_BYTES // len(ODD))


def packed(text: str) -> PackedText:
    held = PackedText()
    for start in range(0, len(text), 1000):
        held.add(text[start : start + 1000])
    held.end()
    return held


@pytest.mark.parametrize(
    "text",
    ["", "short", ODD, LONG, "a" * 3 * PACK_BYTES],
    ids=["empty", "short", "odd", "long and odd", "long"],
)
def test_a_packed_text_is_what_stands_in_json(text: str) -> None:
    held = packed(text)
    pieces = list(held.pieces())
    assert json.loads(b'"' + b"".join(pieces) + b'"') == whole_characters(text)
    assert held.size == sum(map(len, pieces))
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


def test_words_take_a_third_of_the_memory_or_less() -> None:
    chosen = random.Random(1)
    words = ["".join(chosen.choices("abcdefghijklmnop", k=7)) for _ in range(500)]
    text = " ".join(chosen.choices(words, k=300_000))
    held = packed(text)
    assert sum(map(sys.getsizeof, held._blocks)) < len(text) / 3


def test_long_events_come_in_pieces_and_others_as_they_are() -> None:
    long = PartDelta(index=1, text="x" * (2 * PIECE_BYTES + 1))
    texts = [event.text for event in in_pieces(long) if isinstance(event, PartDelta)]
    assert [len(text) for text in texts] == [PIECE_BYTES, PIECE_BYTES, 1]
    short: StreamEvent = PartDelta(index=1, text="x" * PIECE_BYTES)
    assert list(in_pieces(short)) == [short]
    end = ResponseEnd(stop_reason="end")
    assert list(in_pieces(end)) == [end]


def test_names_stand_for_the_long_parts_alone() -> None:
    answer = HeldAnswer()
    answer.add(PartStart(index=0, part=Text(text="")))
    answer.add(PartStart(index=1, part=ToolCall(id="c", name="f", arguments="")))
    answer.add(PartDelta(index=0, text="short"))
    answer.add(PartDelta(index=1, text="x" * (PACK_BYTES + 1)))
    answer.add(ResponseEnd(stop_reason="end"))
    text, call = answer.build().parts
    assert text == Text(text="short")
    assert isinstance(call, ToolCall)
    assert set(answer.packed) == {call.arguments.encode()}


def test_an_answer_with_citations_is_not_packed_as_they_count_its_characters() -> None:
    answer = HeldAnswer()
    answer.add(PartStart(index=0, part=WebSearch(id="s")))
    answer.add(PartStart(index=1, part=Text(text="")))
    assert not answer.add(PartDelta(index=1, text="x" * (PACK_BYTES + 1)))
    answer.add(ResponseEnd(stop_reason="end"))
    _, text = answer.build().parts
    assert isinstance(text, Text)
    assert (len(text.text), answer.packed) == (PACK_BYTES + 1, {})
