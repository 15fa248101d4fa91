"""How often a request is asked: of which processes, and of the model."""

from collections.abc import AsyncGenerator

import pytest

from gateway.errors import BackendFailed
from gateway.testing import text_answer
from gateway.types import StreamEvent, Text, Tool, ToolChoice
from gateway_claude_code.conversations.attempts import FIRST, Attempt, held_to_choice
from gateway_claude_code.request.prepare import Prepared, prepare
from gateway_claude_code.response.failures import ForbiddenTooSoon, NotReady, ProcessGone
from tests.claude_code.claude_code_support import TARGET, a_request

GONE, SILENT, TOO_SOON = ProcessGone("gone"), NotReady("silent"), ForbiddenTooSoon()
AGAIN = Attempt()
NEW = Attempt(spare=False)
FREELY = Attempt(spare=False, unlimited=True)


@pytest.mark.parametrize(
    ("attempt", "process", "error", "after"),
    [
        (FIRST, "live", GONE, AGAIN),
        (FIRST, "live", SILENT, AGAIN),
        (FIRST, "live", TOO_SOON, AGAIN),
        (FIRST, "spare", GONE, NEW),
        (FIRST, "spare", SILENT, NEW),
        (FIRST, "spare", TOO_SOON, FREELY),
        (FIRST, "cold", GONE, None),
        (FIRST, "cold", SILENT, None),
        (FIRST, "cold", TOO_SOON, FREELY),
        (AGAIN, "spare", GONE, NEW),
        (AGAIN, "cold", GONE, None),
        (AGAIN, "cold", TOO_SOON, FREELY),
        (NEW, "cold", GONE, None),
        (NEW, "cold", TOO_SOON, None),
        (FREELY, "cold", TOO_SOON, None),
    ],
    ids=str,
)
def test_which_process_is_tried_after_a_failure(
    attempt: Attempt, process: str, error: ProcessGone | NotReady, after: Attempt | None
) -> None:
    found = attempt.next(error, was_live=process == "live", was_spare=process == "spare")
    assert found == after


def test_there_are_three_attempts_at_most() -> None:
    attempt: Attempt | None = FIRST
    made = 0
    while attempt is not None:
        made += 1
        attempt = attempt.next(TOO_SOON, was_live=attempt.live, was_spare=attempt.spare)
    assert made == 3


# -- a demanded call ----------------------------------------------------------------------

LOOK = Tool(name="look")


class Model:
    """Answers in text, whatever it is asked."""

    def __init__(self) -> None:
        self.asked: list[Prepared] = []

    async def answer(self, prepared: Prepared) -> AsyncGenerator[StreamEvent]:
        self.asked.append(prepared)
        for event in text_answer("No."):
            yield event


async def test_an_answer_without_a_demanded_call_is_asked_for_once_more() -> None:
    choice = ToolChoice(mode="required")
    thinking = a_request(tools=(LOOK,), tool_choice=choice)
    prepared, model = prepare(thinking, TARGET), Model()
    assert prepared.demanded
    with pytest.raises(BackendFailed, match="ignored 'tool_choice' twice"):
        _ = [event async for event in held_to_choice(prepared, model.answer)]
    first, second = model.asked
    said = second.request.messages[len(first.request.messages) :]
    assert [message.role for message in said] == ["assistant", "user"]
    assert said[0].parts == (Text(text="No."),)


async def test_where_no_call_is_demanded_the_answer_is_what_it_is() -> None:
    prepared, model = prepare(a_request(tools=(LOOK,)), TARGET), Model()
    events = [event async for event in held_to_choice(prepared, model.answer)]
    assert events == text_answer("No.")
    assert model.asked == [prepared]
