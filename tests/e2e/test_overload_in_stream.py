"""An overload that is told in the stream: before anything was given, and after."""

import pytest

from gateway_claude_code.upstream import StreamError, in_order, text_answer
from tests.e2e.bodies import chat, post
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("fields", [{}, {"max_tokens": 100}])
@pytest.mark.parametrize("stream", [False, True])
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
