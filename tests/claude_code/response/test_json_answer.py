"""Answers in JSON: the structured output or the prose, as the text that was asked for."""

from typing import Any, get_args

import pytest

from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseFormat,
    ResponseStart,
    StopReason,
    StreamEvent,
    Text,
    Thinking,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.response.json_answer import (
    NativeAnswer,
    ObjectAnswer,
    SchemaAnswer,
    json_answer,
)
from tests.claude_code.response.json_answer_support import (
    CUT,
    LIST,
    OBJECT,
    call,
    end,
    fed,
    of,
    output,
    part,
    problem,
    said,
)


def test_the_cuts_are_all_the_reasons_but_two() -> None:
    assert {*CUT, "end", "tool_calls"} == set(get_args(StopReason))


@pytest.mark.parametrize(
    ("form", "schema", "kind"),
    [
        (ResponseFormat(), None, type(None)),
        (ResponseFormat(kind="json_object"), None, ObjectAnswer),
        (ResponseFormat(kind="json_schema", schema=OBJECT), AnswerSchema.of(OBJECT), SchemaAnswer),
        (ResponseFormat(kind="json_schema", schema=OBJECT), None, type(None)),
    ],
)
def test_what_each_form_needs(
    form: ResponseFormat, schema: AnswerSchema | None, kind: type
) -> None:
    assert type(json_answer(form, schema)) is kind


def test_what_fits_the_apis_own_structured_output_is_read_natively() -> None:
    form = ResponseFormat(kind="json_schema", schema=OBJECT)
    assert type(json_answer(form, AnswerSchema.of(OBJECT), native=True)) is NativeAnswer
    free_form = AnswerSchema.of({"type": "object"})
    assert type(json_answer(form, free_form, native=True)) is SchemaAnswer


# -- a schema: the output -----------------------------------------------------------------


def test_the_output_is_text_as_it_comes() -> None:
    answer = of(OBJECT)
    seen = [fed(answer, [event]) for event in [*output(0, "", '{"a"', ":1}"), *end("tool_calls")]]
    assert seen == [
        [PartStart(index=0, part=Text(text=""))],
        [],
        [PartDelta(index=0, text='{"a"')],
        [PartDelta(index=0, text=":1}")],
        [PartEnd(index=0)],
        end("end"),
    ]


def test_a_wrapped_output_is_unwrapped_as_it_comes() -> None:
    answer = of(LIST)
    seen = [fed(answer, [event]) for event in output(0, '{"val', 'ue": [1', ", 2]", "}")]
    assert seen == [
        [PartStart(index=0, part=Text(text=""))],
        [],
        [PartDelta(index=0, text="[1")],
        [PartDelta(index=0, text=", 2]")],
        [],
        [PartEnd(index=0)],
    ]
    assert fed(answer, end("tool_calls")) == end()


def test_an_output_without_input_is_the_empty_object() -> None:
    events = fed(of({"type": "object"}), output(0), end("tool_calls"))
    assert events == [*said(0, "{}"), *end()]


def test_prose_before_the_output_is_left_out() -> None:
    events = fed(of(OBJECT), said(0, "Here", " it is"), output(1, '{"a":1}'), end("tool_calls"))
    assert events == [*said(1, '{"a":1}'), *end()]


def test_prose_after_the_output_is_left_out() -> None:
    events = fed(of(OBJECT), output(0, '{"a":1}'), said(1, "There."), end())
    assert events == [*said(0, '{"a":1}'), *end()]


def test_of_two_outputs_the_first_counts() -> None:
    events = fed(of(OBJECT), output(0, '{"a":1}'), output(1, '{"a":2}'), end("tool_calls"))
    assert events == [*said(0, '{"a":1}'), *end()]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_output_beside_calls_leaves_both(order: tuple[int, int]) -> None:
    parts = [output(0, '{"a":1}'), call(1, "{}")]
    first, second = (parts[index] for index in order)
    events = fed(of(OBJECT), first, second, end("tool_calls"))
    shown = [said(0, '{"a":1}'), call(1, "{}")]
    assert events == [*shown[order[0]], *shown[order[1]], *end("tool_calls")]


def test_prose_before_the_output_does_not_come_back_with_a_call() -> None:
    events = fed(of(OBJECT), said(0, "Here"), output(1, '{"a":1}'), call(2), end("tool_calls"))
    assert events == [*said(1, '{"a":1}'), *call(2), *end("tool_calls")]


@pytest.mark.parametrize(
    "other",
    [
        [ResponseStart(model="m")],
        [UsageUpdate(usage=Usage(input_tokens=1))],
        part(0, Thinking(text=""), "hm"),
    ],
)
def test_everything_else_goes_on_as_it_is(other: list[StreamEvent]) -> None:
    for answer in (of(OBJECT), ObjectAnswer()):
        assert fed(answer, other) == other


@pytest.mark.parametrize(
    ("schema", "pieces", "said"),
    [
        (OBJECT, ['{"b":1}'], '"a" is a required property'),
        (OBJECT, ['{"a":"x"}'], 'a: "x" is not of type "integer"'),
        (OBJECT, [], '"a" is a required property'),
        (OBJECT, ['{"a":'], "it is not JSON"),
        (OBJECT, ["[" * 100_000], "it is not JSON"),
        (LIST, ['{"value": ["x"]}'], '[0]: "x" is not of type "integer"'),
        (LIST, ['{"other": [1]}'], "it is not JSON"),
        (LIST, [], "it is not JSON"),
    ],
)
@pytest.mark.parametrize("calls", [[], call(9, "{}")], ids=["alone", "beside a call"])
def test_an_output_that_misses_the_schema_is_a_failure(
    schema: dict[str, Any], pieces: list[str], said: str, calls: list[StreamEvent]
) -> None:
    assert problem(of(schema), output(0, *pieces), calls, end("tool_calls")) == said


@pytest.mark.parametrize("reason", CUT)
def test_an_output_that_was_cut_is_passed_on(reason: StopReason) -> None:
    events = fed(of(OBJECT), said(0, "Here"), output(1, '{"a'), end(reason))
    assert events == [*said(1, '{"a'), *end(reason)]


# -- a schema: prose ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "pieces", "text"),
    [
        (OBJECT, ['{"a"', ": 1}"], '{"a": 1}'),
        (OBJECT, ['\n {"a": 1}\n'], '{"a": 1}'),
        (OBJECT, ['```json\n{"a": 1}\n```'], '{"a": 1}'),
        (OBJECT, ['\n```\n{"a":\n 1}\n```\n'], '{"a":\n 1}'),
        (LIST, ["[1, ", "2]"], "[1, 2]"),
        (LIST, ['{"value": [1, 2]}'], "[1, 2]"),
        (LIST, ['```json\n{"value": []}\n```'], "[]"),
        ({"type": "string"}, ['{"value": "é"}'], '"é"'),
    ],
)
def test_prose_that_is_json_of_the_schema_is_the_answer(
    schema: dict[str, Any], pieces: list[str], text: str
) -> None:
    answer = of(schema)
    assert fed(answer, said(0, *pieces)) == []
    assert answer.satisfied
    assert fed(answer, end()) == [*said(0, text), *end()]


def test_several_texts_that_are_json_together_become_one() -> None:
    events = fed(of(OBJECT), said(1, '{"a":'), said(2, " 1}"), end())
    assert events == [*said(1, '{"a": 1}'), *end()]


@pytest.mark.parametrize(
    ("schema", "pieces"),
    [
        (OBJECT, ["prose"]),
        (OBJECT, []),
        (OBJECT, ['{"b": 1}']),
        (OBJECT, ['Here: {"a": 1}']),
        (OBJECT, ['```json\n{"a": 1}\n``` and more']),
        (LIST, ['{"value": [1], "more": 2}']),
        (LIST, ['{"value": ["x"]}']),
    ],
)
def test_other_prose_is_a_failure(schema: dict[str, Any], pieces: list[str]) -> None:
    answer = of(schema)
    fed(answer, said(0, *pieces))
    assert not answer.satisfied
    assert problem(answer, end()) == "it is prose"


def test_an_answer_of_nothing_is_a_failure() -> None:
    assert problem(of(OBJECT), end()) == "it is prose"


@pytest.mark.parametrize("reason", CUT)
def test_prose_that_was_cut_is_passed_on(reason: StopReason) -> None:
    events = fed(of(OBJECT), said(0, "I can't"), end(reason))
    assert events == [*said(0, "I can't"), *end(reason)]


@pytest.mark.parametrize("reason", ["tool_calls", "end"])
def test_prose_before_a_call_goes_on_with_it(reason: StopReason) -> None:
    answer = of(OBJECT)
    events = [*said(0, "Let me", " look."), *call(1, '{"x"', ":1}")]
    assert fed(answer, events) == events
    assert fed(answer, end(reason)) == end(reason)


def test_prose_after_a_call_goes_on_at_the_end() -> None:
    events = [*call(0, "{}"), *said(1, "Wait."), *end("tool_calls")]
    assert fed(of(OBJECT), events) == events


@pytest.mark.parametrize(
    ("events", "satisfied"),
    [
        ([], False),
        (said(0, "prose"), False),
        (said(0, '{"a": 1}'), True),
        (output(0), True),
        (call(0), True),
        (part(0, Thinking(text=""), '{"a": 1}'), False),
    ],
)
def test_what_may_be_the_whole_answer(events: list[StreamEvent], *, satisfied: bool) -> None:
    answer = of(OBJECT)
    fed(answer, events)
    assert answer.satisfied is satisfied
