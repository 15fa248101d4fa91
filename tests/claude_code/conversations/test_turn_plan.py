"""What is sent of a request depends on what a process holds already."""

import dataclasses
from typing import Any

import pytest

from gateway.testing import text_answer
from gateway.types import ChatRequest, Sampling, Tool
from gateway_claude_code.conversations.continuation import AnswerSoFar, ConversationState
from gateway_claude_code.conversations.turn_plan import TurnPlan
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.history import Turn
from gateway_claude_code.request.prepare import prepare
from gateway_claude_code.request.terms import Terms
from gateway_claude_code.response.events import read_stream_event
from tests.claude_code.claude_code_support import TARGET, a_request
from tests.claude_code.conversations.turn_support import CALLS, RESULTS

NEW = ConversationState()
ANSWERED = ConversationState(answered=True)
LOOK = Tool(name="look")


def event(kind: str, **fields: Any) -> Line:
    return {"type": "stream_event", "event": {"type": kind, **fields}}


ANSWER = (
    event("message_start", message={"model": "m"}),
    event("content_block_start", index=0, content_block={"type": "text", "text": "two"}),
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn"}),
)


def plan_of(request: ChatRequest, usual_model: str | None = None) -> TurnPlan:
    return TurnPlan.of(prepare(request, TARGET), usual_model)


def texts(turn: Turn) -> list[str]:
    return [block["text"] for block in turn.blocks]


CHAT = a_request("one", "two", "three")
WITH_RESULTS = dataclasses.replace(
    a_request(tools=(LOOK,)), messages=(*a_request("go").messages, CALLS, RESULTS)
)


def test_a_process_that_holds_nothing_gets_everything() -> None:
    rest = plan_of(CHAT).rest(NEW)
    assert rest.from_start
    assert [turn.role for turn in rest.history] == ["user", "assistant"]
    assert rest.turn is not None
    assert texts(rest.turn) == ["three"]
    assert rest.results == ()
    assert rest.may_mark


def test_a_process_that_holds_the_conversation_gets_the_new_turn() -> None:
    rest = plan_of(CHAT).rest(ANSWERED)
    assert not rest.from_start
    assert list(rest.history) == []
    assert rest.turn is not None
    assert texts(rest.turn) == ["three"]
    assert not rest.may_mark


def test_a_process_that_waits_for_results_gets_them_in_the_order_of_the_calls() -> None:
    rest = plan_of(WITH_RESULTS).rest(ANSWERED)
    assert (rest.from_start, rest.turn) == (False, None)
    assert [[block["text"] for block in content] for content in rest.results] == [
        ["first"],
        ["second"],
    ]


def test_a_process_that_takes_no_history_gets_one_turn() -> None:
    rest = plan_of(CHAT).rest(ConversationState(transcribed=True))
    assert list(rest.history) == []
    assert rest.turn is not None
    assert "two" in "".join(texts(rest.turn))


@pytest.mark.parametrize(("usual_model", "before"), [("sonnet", ""), (None, "\n")])
def test_only_a_current_cli_gets_texts_as_they_are_written(
    usual_model: str | None, before: str
) -> None:
    rest = plan_of(a_request("/one", "two", "three"), usual_model).rest(NEW)
    assert texts(rest.history[0])[0] == f"{before}/one"


# -- terms --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "state", "seeded"),
    [
        (CHAT, NEW, True),
        (CHAT, ANSWERED, False),
        (CHAT, ConversationState(answered=True, thought=True), False),
        (WITH_RESULTS, NEW, True),
        (WITH_RESULTS, ANSWERED, True),
        (WITH_RESULTS, ConversationState(answered=True, thought=True), False),
    ],
)
def test_thinking_that_is_lost_counts_whoever_has_the_conversation(
    request_: ChatRequest, state: ConversationState, seeded: bool
) -> None:
    prepared = prepare(request_, TARGET)
    lost = dataclasses.replace(prepared.terms, ignored=("told apart",))
    plan = TurnPlan.of(dataclasses.replace(prepared, seeded_terms=lost), None)
    terms: Terms = plan.rest(state).terms
    assert terms == (lost if seeded else prepared.terms)


# -- what a process is started with, and known by ------------------------------------------


@pytest.mark.parametrize(
    ("usual_model", "model", "one_request", "switch"),
    [(None, "claude-test", True, None), ("sonnet", "sonnet", False, "claude-test")],
)
def test_a_current_cli_is_started_with_the_usual_model_and_told_the_rest(
    usual_model: str | None, model: str, one_request: bool, switch: str | None
) -> None:
    short = a_request(sampling=Sampling(max_output_tokens=5))
    plan = plan_of(short, usual_model)
    assert (plan.model, plan.one_request) == (model, one_request)
    assert plan.rest(NEW).settings.get("model") == switch


@pytest.mark.parametrize("texts", [("Hi",), ("Hi", "Hel")])
def test_a_conversation_that_no_process_can_hold_has_no_key_before(texts: tuple[str, ...]) -> None:
    assert plan_of(a_request(*texts)).key_before is None


def test_an_answer_is_followed_by_the_request_that_goes_on_from_it() -> None:
    said = AnswerSoFar()
    for event in text_answer("two"):
        said.add(event)
    first = plan_of(a_request("one"))
    reader = first.reader()
    for line in ANSWER:
        read_stream_event(reader, line)
    after = first.after(reader, said)
    assert after is not None
    assert after.key == plan_of(CHAT).key_before
    assert after.prefixes == plan_of(CHAT).prefixes[:2]
    assert after.key != plan_of(a_request("one", "2", "three")).key_before


@pytest.mark.parametrize(("request_", "has_history"), [(a_request(), False), (CHAT, True)])
def test_only_what_the_assistant_said_is_a_history(
    request_: ChatRequest, has_history: bool
) -> None:
    assert plan_of(request_).has_history is has_history


# -- the reader of the answer ---------------------------------------------------------------


@pytest.mark.parametrize(("request_", "goes_on"), [(CHAT, False), (WITH_RESULTS, True)])
def test_only_a_model_with_tools_is_asked_again_after_a_call_of_an_unknown_one(
    request_: ChatRequest, goes_on: bool
) -> None:
    reader = plan_of(request_).reader()
    call = {"type": "tool_use", "id": "toolu_1", "name": "mcp__t__unknown", "input": {}}
    for line in (ANSWER[0], event("content_block_start", index=0, content_block=call)):
        read_stream_event(reader, line)
    assert reader.goes_on is goes_on


@pytest.mark.parametrize("unlimited", [False, True])
def test_an_answer_may_take_any_number_of_requests_if_the_plan_says_so(unlimited: bool) -> None:
    assert plan_of(CHAT).reader(unlimited=unlimited).asks_freely is unlimited
