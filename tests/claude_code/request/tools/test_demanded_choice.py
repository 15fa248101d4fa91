"""A tool choice that the API can't force: what is asked, and what is passed on of the answers."""

from collections.abc import Iterable

import pytest

from gateway.errors import BackendFailed
from gateway.types import (
    Message,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StopReason,
    StreamEvent,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Usage,
    UsageUpdate,
)
from gateway_claude_code.request.tools.demanded_choice import (
    DemandedAnswer,
    asked_again,
    demand,
    with_demand,
)
from gateway_claude_code.request.tools.tool_names import ToolNames
from tests.claude_code.claude_code_support import a_request

TOOLS = (Tool(name="look"), Tool(name="get.time"))
NAMES = ToolNames(tool.name for tool in TOOLS)
ANY = ToolChoice(mode="required")
LOOK = ToolChoice(mode="required", names=("look",))
SENTENCE = Text(text=demand(LOOK, NAMES))
START = ResponseStart(model="m")


# -- the sentence -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (LOOK, "Call the `mcp__t__look` tool now"),
        (ToolChoice(mode="required", names=("get.time",)), "Call the `mcp__t__get_time` tool now"),
        (
            ToolChoice(mode="required", names=("look", "get.time")),
            "Call one of the tools `mcp__t__look`, `mcp__t__get_time` now",
        ),
        (ANY, "Call at least one of your tools now"),
    ],
)
def test_the_sentence_names_the_tools_as_the_model_knows_them(
    choice: ToolChoice, said: str
) -> None:
    assert demand(choice, NAMES).startswith(said)


def test_it_stands_at_the_end_of_the_last_user_turn() -> None:
    asked = a_request("Hi", "Hello", "Go", tools=TOOLS, tool_choice=LOOK, system="Be brief.")
    found = with_demand(asked, NAMES)
    *before, last = found.messages
    assert tuple(before) == asked.messages[:-1]
    assert last.parts == (*asked.messages[-1].parts, SENTENCE)
    assert (found.tools, found.system) == (asked.tools, asked.system)


def test_it_comes_after_the_results_of_tools() -> None:
    result = ToolResult(call_id="c")
    asked = a_request(
        messages=(Message(role="user", parts=(result,)),), tools=TOOLS, tool_choice=LOOK
    )
    assert with_demand(asked, NAMES).messages[-1].parts == (result, SENTENCE)


def test_behind_the_assistants_own_words_it_is_a_turn() -> None:
    found = with_demand(a_request("Hi", "Hel", tools=TOOLS, tool_choice=LOOK), NAMES)
    assert found.messages[-1] == Message(role="user", parts=(SENTENCE,))


def test_asked_again_has_the_text_that_was_the_answer() -> None:
    asked = a_request("Hi", tools=TOOLS, tool_choice=LOOK)
    answer = (Thinking(text="hm", signature="s"), Text(text="No."), ToolCall(id="c", name="other"))
    found = asked_again(asked, NAMES, answer)
    assert found.messages[1:] == (
        Message(role="assistant", parts=(Text(text="No."),)),
        Message(role="user", parts=(SENTENCE,)),
    )


# -- the answer ---------------------------------------------------------------------------


def part(index: int, kind: Text | Thinking | ToolCall, *pieces: str) -> list[StreamEvent]:
    deltas = [PartDelta(index=index, text=piece) for piece in pieces]
    return [PartStart(index=index, part=kind), *deltas, PartEnd(index=index)]


def text(index: int, *pieces: str) -> list[StreamEvent]:
    return part(index, Text(text=""), *pieces)


def call(index: int, name: str = "look") -> list[StreamEvent]:
    return part(index, ToolCall(id=f"c{index}", name=name, arguments=""), "{}")


def attempt(
    answer: DemandedAnswer, events: Iterable[StreamEvent], stop: StopReason
) -> list[StreamEvent]:
    return [
        out
        for event in (START, *events, ResponseEnd(stop_reason=stop))
        for out in answer.feed(event)
    ]


def test_a_call_is_passed_on_as_it_comes() -> None:
    answer = DemandedAnswer(LOOK)
    events = call(0)
    assert attempt(answer, events, "tool_calls") == [
        START,
        *events,
        ResponseEnd(stop_reason="tool_calls"),
    ]
    assert answer.followed


def test_text_before_the_call_is_left_out() -> None:
    answer = DemandedAnswer(ANY)
    found = attempt(answer, [*text(0, "Let ", "me see."), *call(1)], "tool_calls")
    assert found == [START, *call(1), ResponseEnd(stop_reason="tool_calls")]


def test_text_after_the_call_is_left_out_too() -> None:
    answer = DemandedAnswer(ANY)
    found = attempt(answer, [*call(0), *text(1, "Done.")], "tool_calls")
    assert found == [START, *call(0), ResponseEnd(stop_reason="tool_calls")]


def test_thinking_is_passed_on_before_the_call_is_there() -> None:
    answer = DemandedAnswer(ANY)
    begun = [START, *part(0, Thinking(text=""), "hm")]
    assert [out for event in begun for out in answer.feed(event)] == begun


def test_nothing_goes_out_before_something_is_to_be_seen() -> None:
    answer = DemandedAnswer(ANY)
    begun = [START, *part(0, Thinking(text="")), UsageUpdate(usage=Usage()), *text(1, "No.")]
    assert [out for event in begun for out in answer.feed(event)] == []


def test_an_answer_in_text_is_not_passed_on_and_the_next_one_is_numbered_on() -> None:
    answer = DemandedAnswer(LOOK)
    assert attempt(answer, text(0, "No."), "end") == []
    assert not answer.followed
    answer.try_again()
    found = attempt(answer, call(0), "tool_calls")
    moved = [PartStart(index=1, part=ToolCall(id="c0", name="look", arguments=""))]
    assert found == [
        START,
        *moved,
        PartDelta(index=1, text="{}"),
        PartEnd(index=1),
        ResponseEnd(stop_reason="tool_calls"),
    ]


def test_a_call_of_another_tool_does_not_count_and_is_left_out() -> None:
    answer = DemandedAnswer(LOOK)
    assert attempt(answer, call(0, "get.time"), "tool_calls") == []
    assert not answer.followed
    answer.try_again()
    found = attempt(answer, [*call(0, "get.time"), *call(1)], "tool_calls")
    assert [event.part for event in found if isinstance(event, PartStart)] == [
        ToolCall(id="c1", name="look", arguments="")
    ]


def test_usage_is_that_of_all_attempts() -> None:
    answer = DemandedAnswer(ANY)
    used = [UsageUpdate(usage=Usage(input_tokens=5, output_tokens=3))]
    attempt(answer, used, "end")
    answer.try_again()
    found = attempt(answer, [*used, *call(0)], "tool_calls")
    totals = [event.usage for event in found if isinstance(event, UsageUpdate)]
    assert totals[-1] == Usage(input_tokens=10, output_tokens=6)


@pytest.mark.parametrize("stop", ["max_tokens", "refusal", "stop_sequence"])
def test_an_answer_that_was_cut_is_passed_on_as_it_is(stop: StopReason) -> None:
    answer = DemandedAnswer(ANY)
    assert attempt(answer, text(0, "I'd"), stop) == [
        START,
        *text(0, "I'd"),
        ResponseEnd(stop_reason=stop),
    ]
    assert answer.followed


def test_the_second_answer_in_text_is_an_error_that_is_not_to_be_tried_again() -> None:
    answer = DemandedAnswer(ANY)
    attempt(answer, text(0, "No."), "end")
    answer.try_again()
    attempt(answer, text(0, "No."), "end")
    with pytest.raises(BackendFailed) as failed:
        answer.try_again()
    error = failed.value
    assert (error.status, error.code, error.param) == (
        502,
        "tool_choice_not_followed",
        "tool_choice",
    )
    assert error.should_retry is False
