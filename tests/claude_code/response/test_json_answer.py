"""Answers in JSON: the structured output or the prose, as the requested text."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, get_args

import anyio
import pytest

from gateway.errors import BackendFailed
from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseFormat,
    ResponseStart,
    StopReason,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.response.json_answer import (
    NOT_AS_ASKED,
    OUTPUT,
    JsonAnswer,
    NativeAnswer,
    ObjectAnswer,
    SchemaAnswer,
    json_answer,
)
from tests.work import is_linear

OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
LIST = {"type": "array", "items": {"type": "integer"}}
CUT: tuple[StopReason, ...] = ("max_tokens", "refusal", "stop_sequence")


def of(schema: dict[str, Any]) -> SchemaAnswer:
    return SchemaAnswer(AnswerSchema.of(schema))


def part(index: int, part: Any, *texts: str) -> list[StreamEvent]:
    deltas = [PartDelta(index=index, text=text) for text in texts]
    return [PartStart(index=index, part=part), *deltas, PartEnd(index=index)]


def said(index: int, *texts: str) -> list[StreamEvent]:
    return part(index, Text(text=""), *texts)


def call(index: int, *arguments: str, name: str = "look") -> list[StreamEvent]:
    return part(index, ToolCall(id=f"c{index}", name=name, arguments=""), *arguments)


def output(index: int, *arguments: str) -> list[StreamEvent]:
    return call(index, *arguments, name=OUTPUT)


def end(reason: StopReason = "end") -> list[StreamEvent]:
    return [ResponseEnd(stop_reason=reason)]


def fed(answer: JsonAnswer, *events: list[StreamEvent]) -> list[StreamEvent]:
    """The events that come of these, as a conversation has them: it checks before the end."""

    def each() -> Iterator[StreamEvent]:
        for some in events:
            for event in some:
                yield from answer.feed(event)

    found = list(each())
    if answer.complete is not None:
        anyio.run(answer.complete.check)
    return found


def joined(events: list[StreamEvent]) -> str:
    """All text of the events."""
    return "".join(event.text for event in events if isinstance(event, PartDelta))


def problem(answer: JsonAnswer, *events: list[StreamEvent]) -> str:
    """What the failure says that these events end in."""
    with pytest.raises(BackendFailed) as caught:
        fed(answer, *events)
    assert caught.value.code == NOT_AS_ASKED == "invalid_model_output"
    before, _, said = caught.value.message.partition(": ")
    assert before == "The model's answer does not have the requested form"
    return said.removesuffix(".")


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


# -- any JSON object ----------------------------------------------------------------------


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
