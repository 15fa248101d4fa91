"""Answers in JSON without a schema: any object, found in the prose."""

from collections.abc import Callable
from functools import partial
from typing import get_args

import pytest

from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    StopReason,
)
from gateway_claude_code.response.json_answer import (
    ObjectAnswer,
)
from tests.claude_code.response.json_answer_support import CUT, call, end, fed, joined, said
from tests.work import is_linear


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (['{"a": 1}'], ['{"a": 1}']),
        (["{}"], ["{}"]),
        (["\n ", '{"a":', " 1}", "\n"], ['{"a":', " 1}"]),
        (["```json\n", "{", '"a"', ": {}}\n", "```"], ["{", '"a"', ": {}}"]),
        (["`", "``", "\n", '{"a": 1} ``', "`"], ['{"a": 1}']),
        (['{"a": 1}', ' or {"b": 2}'], ['{"a": 1}']),
    ],
)
@pytest.mark.parametrize("reason", ["end", "tool_calls"])
def test_an_object_at_the_beginning_streams(
    pieces: list[str], shown: list[str], reason: StopReason
) -> None:
    answer = ObjectAnswer()
    streamed = fed(answer, said(0, *pieces)[:-1])
    assert streamed == said(0, *shown)[:-1]
    assert fed(answer, said(0)[1:], end(reason)) == [PartEnd(index=0), *end(reason)]


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["Sure: {this}", ' {"a": "}"}', ' or {"b": 2}'], '{"a": "}"}'),
        (["Sure.\n```json\n{", '"a": 1}\n```'], '{"a": 1}'),
        (['Not {"this}, but {"a": 1}'], '{"a": 1}'),
        (["[", '{"a": 1}', "]"], '{"a": 1}'),
    ],
)
@pytest.mark.parametrize("reason", ["end", "tool_calls"])
def test_an_object_after_words_comes_at_the_end(
    pieces: list[str], shown: str, reason: StopReason
) -> None:
    answer = ObjectAnswer()
    assert fed(answer, said(0, *pieces)) == []
    assert fed(answer, end(reason)) == [*said(0, shown), *end(reason)]


def test_the_object_may_come_in_several_texts() -> None:
    events = fed(ObjectAnswer(), said(0, '{"a":'), said(1, "1"), said(2, "} Done."), end())
    assert events == [*said(0, '{"a":'), *said(1, "1"), *said(2, "}"), *end()]


def test_words_and_the_object_may_come_in_several_texts() -> None:
    events = fed(ObjectAnswer(), said(0, "Sure."), said(1, '{"a":'), said(2, "1} Done."), end())
    assert events == [*said(0, '{"a":1}'), *end()]


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [""],
        ["I can", "not."],
        ["[1]"],
        ["```json\n[1]\n```"],
        ['{"a"'],
        ['{"a" is no', " object}", " at", " all"],
        ["{", "not}", "\n", "{not}"],
        ["{" * 2000],
        ['Here: {"a": oops}'],
    ],
    ids=lambda pieces: repr(pieces)[:30],
)
@pytest.mark.parametrize("reason", get_args(StopReason))
def test_a_text_without_an_object_is_given_as_it_is(pieces: list[str], reason: StopReason) -> None:
    answer = ObjectAnswer()
    events = fed(answer, said(0, *pieces), end(reason))
    assert joined(events) == joined(said(0, *pieces))
    assert [type(event) for event in events if not isinstance(event, PartDelta)] == [
        PartStart,
        PartEnd,
        ResponseEnd,
    ]
    assert answer.verbatim


def test_an_answer_of_nothing_stays_one() -> None:
    assert fed(ObjectAnswer(), end()) == end()


@pytest.mark.parametrize("reason", CUT)
@pytest.mark.parametrize("before", ["", "Sure: "])
def test_an_object_that_was_cut_is_passed_on(reason: StopReason, before: str) -> None:
    events = fed(ObjectAnswer(), said(0, f'{before}{{"a": "b'), end(reason))
    assert events == [*said(0, '{"a": "b'), *end(reason)]


def test_with_calls_the_text_is_given_as_it_is() -> None:
    events = [*said(0, "Let me ", "look."), *call(1, '{"x":1}'), *end("tool_calls")]
    assert fed(ObjectAnswer(), events) == events


@pytest.mark.parametrize(
    ("pieces", "verbatim"),
    [
        (['{"a": 1}'], True),
        (['{"a": 1}', "\n"], False),
        (["```json\n", '{"a": 1}', "\n```"], False),
        (['Sure: {"a": 1}'], False),
        (["prose"], True),
    ],
)
def test_an_object_is_verbatim_without_a_cut(pieces: list[str], *, verbatim: bool) -> None:
    answer = ObjectAnswer()
    fed(answer, said(0, *pieces), end())
    assert answer.verbatim is verbatim


def test_an_object_is_asked_for_once() -> None:
    answer = ObjectAnswer()
    fed(answer, said(0, "prose"))
    assert answer.satisfied


@pytest.mark.parametrize("piece", ['{"a', 'no {"a": '])
def test_prose_in_many_pieces_takes_linear_time(piece: str) -> None:
    def events(size: int) -> Callable[[], object]:
        return partial(fed, ObjectAnswer(), said(0, *[piece] * size), end())

    assert is_linear(events, 500)
