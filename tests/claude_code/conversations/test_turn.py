"""Any conversation is driven by one function: what it holds already decides what is sent."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.context import RequestContext
from gateway.errors import InvalidRequest
from gateway.testing import text_answer
from gateway.types import ChatRequest, ResponseEnd, StreamEvent, Tool
from gateway_claude_code.conversations.continuation import ConversationState
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.turn import TurnDriver
from gateway_claude_code.conversations.turn_plan import TurnPlan
from gateway_claude_code.process.launch import Program
from gateway_claude_code.request.cache_marks import LONG, SHORT, CacheMarks
from gateway_claude_code.request.history import Turn
from gateway_claude_code.request.prepare import WentOut, prepare
from gateway_claude_code.response.events import EventReader
from gateway_claude_code.reuse.held import Held
from tests.claude_code.claude_code_support import TARGET, a_request
from tests.claude_code.conversations.turn_support import CALLS, RESULTS

LOOK = Tool(name="look")
CHAT = a_request("one", "two", "three")
WITH_RESULTS = ChatRequest(
    model="m", messages=(*a_request("go").messages, CALLS, RESULTS), tools=(LOOK,)
)


class Said:
    """Notes what a conversation is told, in order."""

    bridge = None

    def begin(self, report_cost: object) -> None:
        self.told.append("begin")

    calls = ("toolu_a", "toolu_b")

    def __init__(self, state: ConversationState, marks: CacheMarks | None = None) -> None:
        self.state = state
        self.held = Held()
        self.told: list[str] = []
        self.turn: Turn | None = None
        self.results: Mapping[str, Any] = {}
        self.takes_tools = True
        self._marks = marks

    async def set_up(self, system: str, bridge: object, settings: object, schema: object) -> None:
        self.told.append("set up")

    async def rewind(self, number: int) -> None:
        self.told.append(f"rewind to {number}")

    async def exchange_tools(self, bridge: object) -> None:
        self.told.append("exchange tools")

    async def check_tools(self) -> None:
        self.told.append("check tools")
        if not self.takes_tools:
            raise InvalidRequest("not taken")

    async def add_history(self, turns: Sequence[Turn]) -> None:
        self.told.append(f"{len(turns)} turns")
        if self._marks is not None:
            self._marks.expect_login("claude.ai")

    async def set_parameters(self, settings: object) -> None:
        self.told.append("parameters")

    async def ask(self, turn: Turn, reader: object) -> AsyncGenerator[StreamEvent]:
        self.told.append("ask")
        self.turn = turn
        for event in text_answer("Hi"):
            yield event

    async def give_results(
        self, results: Mapping[str, Any], reader: object
    ) -> AsyncGenerator[StreamEvent]:
        self.told.append("results")
        self.results = results
        for event in text_answer("Hi"):
            yield event


async def drive(
    request: ChatRequest,
    said: Said,
    driver: TurnDriver | None = None,
    reader: EventReader | None = None,
    kept: int | None = None,
) -> tuple[WentOut, RequestContext]:
    plan = TurnPlan.of(prepare(request, TARGET), None)
    ctx, went_out = RequestContext(request_id="r-1"), WentOut()
    driver = driver or TurnDriver(CacheMarks())
    conversation = cast(Conversation, said)
    answer = driver.answer(plan, conversation, reader or plan.reader(), ctx, went_out, kept=kept)
    assert [event async for event in answer] == text_answer("Hi")
    return went_out, ctx


NEW, ANSWERED = ConversationState(), ConversationState(answered=True)
USED = ConversationState(set_up=True, answered=True)


@pytest.mark.parametrize(
    ("request_", "state", "told"),
    [
        (a_request(), NEW, ["begin", "set up", "check tools", "0 turns", "ask"]),
        (CHAT, NEW, ["begin", "set up", "2 turns", "ask"]),
        (CHAT, ANSWERED, ["begin", "parameters", "ask"]),
        (WITH_RESULTS, NEW, ["begin", "set up", "2 turns", "ask"]),
        (WITH_RESULTS, ANSWERED, ["begin", "parameters", "results"]),
    ],
    ids=["new, first turn", "new", "live", "new, with results", "live, waiting for results"],
)
async def test_only_the_rest_is_sent_and_in_this_order(
    request_: ChatRequest, state: ConversationState, told: list[str]
) -> None:
    said = Said(state)
    _, ctx = await drive(request_, said)
    assert said.told == told
    assert list(ctx.timings) == ["ready", "asked"]


@pytest.mark.parametrize(
    ("request_", "offer", "kept", "told"),
    [
        (CHAT, "same", 2, ["rewind to 2", "parameters", "0 turns", "ask"]),
        (CHAT, "same", 0, ["rewind to 0", "parameters", "2 turns", "ask"]),
        (
            CHAT,
            "other",
            0,
            ["rewind to 0", "exchange tools", "parameters", "2 turns", "ask"],
        ),
        (
            a_request(),
            "other",
            0,
            ["rewind to 0", "exchange tools", "parameters", "check tools", "0 turns", "ask"],
        ),
        (WITH_RESULTS, "same", 0, ["rewind to 0", "parameters", "2 turns", "ask"]),
    ],
    ids=["the last turn", "another chat", "with other tools", "and no history", "after calls"],
)
async def test_a_used_process_is_cut_first_and_then_given_the_rest_in_this_order(
    request_: ChatRequest, offer: str, kept: int, told: list[str]
) -> None:
    said = Said(USED)
    digests = prepare(request_, TARGET).digests
    said.held.open(digests.opening, digests.offer if offer == "same" else b"other")
    await drive(request_, said, kept=kept)
    cut, *rest = told
    # what the cut turn has cost is not billed to this request
    exchange, rest = (rest[:1], rest[1:]) if rest[0] == "exchange tools" else ([], rest)
    assert said.told == [cut, *exchange, "begin", *rest]
    assert said.held.offer == digests.offer


async def test_results_go_to_the_calls_as_the_process_knows_them() -> None:
    said = Said(ANSWERED)
    await drive(WITH_RESULTS, said)
    assert [(call, content[0]["text"]) for call, content in said.results.items()] == [
        ("toolu_a", "first"),
        ("toolu_b", "second"),
    ]


# -- the mark for the prompt cache ----------------------------------------------------------


async def test_a_mark_that_has_changed_while_the_history_was_given_is_the_one_that_is_put() -> None:
    marks = CacheMarks()
    assert marks.mark is SHORT
    said = Said(NEW, marks)
    went_out, _ = await drive(CHAT, said, TurnDriver(marks))
    assert went_out.mark is LONG
    assert said.turn is not None
    assert said.turn.blocks[-1]["cache_control"] is LONG


async def test_a_process_that_keeps_a_turn_with_a_mark_gets_no_second_one() -> None:
    said = Said(USED)
    said.held.add("a", marked=True)
    went_out, _ = await drive(CHAT, said, kept=2)
    assert went_out.mark is None


async def test_a_turn_of_a_live_conversation_has_no_mark() -> None:
    said = Said(ANSWERED)
    went_out, _ = await drive(CHAT, said)
    assert went_out.mark is None
    assert went_out.terms is not None
    assert said.turn is not None
    assert "cache_control" not in said.turn.blocks[-1]


# -- the check of the tools -----------------------------------------------------------------


def asks_for_check(said: Said) -> bool:
    return "check tools" in said.told


async def test_a_set_of_tools_is_checked_once_for_each_cli() -> None:
    driver, seen = TurnDriver(CacheMarks()), list[bool]()
    with_tools, others = a_request(tools=(LOOK,)), a_request(tools=(Tool(name="other"),))
    old, new = Program(Path("/claude"), (1, 1)), Program(Path("/claude"), (2, 2))
    for program, request in (
        (old, with_tools),
        (old, with_tools),
        (old, others),
        (new, with_tools),
    ):
        driver.tools.notice(program)
        said = Said(NEW)
        await drive(request, said, driver)
        seen.append(asks_for_check(said))
    assert seen == [True, False, True, True]


async def test_tools_that_were_not_taken_are_checked_again() -> None:
    driver, request = TurnDriver(CacheMarks()), a_request(tools=(LOOK,))
    refused = Said(NEW)
    refused.takes_tools = False
    with pytest.raises(InvalidRequest):
        await drive(request, refused, driver)
    assert "ask" not in refused.told
    said = Said(NEW)
    await drive(request, said, driver)
    assert asks_for_check(said)


# -- headers --------------------------------------------------------------------------------


@pytest.mark.parametrize(("messages", "header"), [(1, None), (2, "2")])
async def test_a_header_says_how_often_the_model_was_asked(
    messages: int, header: str | None
) -> None:
    reader = TurnPlan.of(prepare(CHAT, TARGET), None).reader()
    for _ in range(messages):
        _ = [*reader.read({"type": "message_start", "message": {}})]
        _ = [*reader.end(ResponseEnd(stop_reason="end"))]
    _, ctx = await drive(CHAT, Said(ANSWERED), reader=reader)
    assert ctx.headers.get("x-dragoman-upstream-requests") == header
