"""An overload that is told in the stream: before anything was given, and after."""

import pytest

from gateway_claude_code.upstream import (
    Answer,
    StreamError,
    TextBlock,
    ThinkingBlock,
    in_order,
    text_answer,
)
from tests.cells import in_turn
from tests.e2e.bodies import chat, post
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(("fields", "stream"), in_turn([{}, {"max_tokens": 100}], [False, True]))
def test_right_after_the_start_the_second_answer_is_the_answer(
    gateway: RunningGateway, fields: dict[str, int], stream: bool
) -> None:
    gateway.upstream.script = in_order(StreamError(text_answer("lost"), 1), text_answer("Hello"))
    choice = chat(gateway, stream=stream, **fields).choice
    assert (choice.content, choice.finish_reason) == ("Hello", "stop")


def test_in_the_text_the_answer_is_lost_and_no_parameter_is_blamed(
    gateway: RunningGateway,
) -> None:
    gateway.upstream.script = in_order(StreamError(text_answer("lo", "st"), 3), text_answer("No"))
    reply = post(gateway)
    assert (reply.status, reply.error["code"], reply.error["param"]) == (503, "overloaded", None)


@pytest.mark.parametrize("stream", [False, True])
def test_after_thinking_the_second_answer_goes_on(gateway: RunningGateway, stream: bool) -> None:
    thought = Answer(blocks=(ThinkingBlock("Hm."), TextBlock("lost")))
    gateway.upstream.script = in_order(StreamError(thought, 4), text_answer("Hello"))
    choice = chat(gateway, stream=stream).choice
    assert (choice.content, choice.finish_reason) == ("Hello", "stop")


@pytest.mark.parametrize("events", [1, 2])
def test_before_the_first_word_a_stream_has_the_status_of_the_error(
    gateway: RunningGateway, events: int
) -> None:
    gateway.upstream.script = in_order(*(StreamError(text_answer("lost"), events),) * 3)
    reply = post(gateway, stream=True)
    assert (reply.status, reply.error["code"]) == (503, "overloaded")
    assert float(reply.headers["retry-after"]) > 0
