"""Answers over the real CLI: their parts in order, how they end, and refusals by their field."""

import pytest

from gateway_claude_code.upstream import (
    Answer,
    Failure,
    Gate,
    MessagesRequest,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    text_answer,
)
from tests.cells import in_turn, on_demand
from tests.e2e.bodies import Choice, chat, comparable, function, last_request, post
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

TOOLS = [function("alpha"), function("beta")]


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_comes_before_the_text(gateway: RunningGateway, stream: bool) -> None:
    thoughts = "First this, and then that, and so on."
    gateway.upstream.script = lambda _: Answer(
        blocks=(ThinkingBlock(thoughts), TextBlock("So it is."))
    )
    choice = chat(gateway, stream=stream).choice
    assert (choice.reasoning, choice.content) == (thoughts, "So it is.")
    if stream:
        first_text = choice.order.index("content")
        assert choice.order[:first_text] == ["reasoning_content"] * first_text
        assert first_text > 1
        assert "reasoning_content" not in choice.order[first_text:]


@pytest.mark.parametrize("stream", [False, True])
def test_n_answers_are_asked_for_at_the_same_time(gateway: RunningGateway, stream: bool) -> None:
    gate = Gate()  # no answer goes on before all three requests are there
    numbers = iter("123")

    def script(_: MessagesRequest) -> Answer:
        number = next(numbers)
        if number == "3":
            gate.open()
        return Answer(blocks=(TextBlock(f"I am {number}"),), gates={1: gate}, piece_chars=2)

    gateway.upstream.script = script
    choices = chat(gateway, stream=stream, n=3).choices
    assert sorted(choice.content for choice in choices) == ["I am 1", "I am 2", "I am 3"]
    assert [choice.finish_reason for choice in choices] == ["stop"] * 3
    first, *others = [comparable(request) for request in gateway.upstream.requests]
    assert others == [first, first]


@pytest.mark.parametrize(
    ("stop", "pieces", "content", "upstream_stop", "stream"),
    in_turn(
        [
            ("\n\n", ("one", "\n", "two", "\n", " ", "\n"), "one\ntwo\n \n", None),
            ("\n", ("one", " two\nthree"), "one two", None),
            (["\n\n\n", " \t "], ("a \n\n", " ", "\t", " b"), "a \n\n", None),
            (["END", "\n\n"], ("one\n", "\nEND"), "one", ["END"]),
        ],
        [False, True],
    ),
)
def test_stop_sequences_of_white_space_cut_the_text_wherever_chunks_end(
    gateway: RunningGateway,
    stream: bool,
    stop: object,
    pieces: tuple[str, ...],
    content: str,
    upstream_stop: object,
) -> None:
    gateway.upstream.script = lambda _: text_answer(*pieces)
    choice = chat(gateway, stream=stream, stop=stop).choice
    assert (choice.content, choice.finish_reason) == (content, "stop")
    assert last_request(gateway).body.get("stop_sequences") == upstream_stop


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason", "stream"),
    in_turn(
        [
            ("end_turn", "stop"),
            ("stop_sequence", "stop"),
            ("pause_turn", "length"),
            ("max_tokens", "length"),
            ("model_context_window_exceeded", "length"),
            ("refusal", "content_filter"),
        ],
        [False, True],
    ),
)
def test_finish_reasons(
    gateway: RunningGateway, stream: bool, stop_reason: str, finish_reason: str
) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(TextBlock("some text"),), stop_reason=stop_reason
    )
    choice = chat(gateway, stream=stream).choice
    assert (choice.finish_reason, choice.content) == (finish_reason, "some text")


@pytest.mark.parametrize("stream", [False, True])
def test_the_finish_reason_of_a_call(gateway: RunningGateway, stream: bool) -> None:
    gateway.upstream.script = lambda _: Answer(blocks=(ToolUseBlock("mcp__t__beta"),))
    choice = chat(gateway, stream=stream, tools=TOOLS).choice
    assert choice.finish_reason == "tool_calls"
    assert [call["name"] for call in choice.tool_calls] == ["beta"]


# -- what the API refuses -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "param", "told", "stream"),
    [
        (
            "max_tokens: 999999 > 64000, which is the maximum allowed",
            "max_tokens",
            "max_tokens: 999999 > 64000, which is the maximum allowed",
            True,
        ),
        on_demand(
            "tools.0.custom.name: String should match pattern",
            "tools",
            "tools (a tool's name): String should match pattern",
            False,
        ),
        on_demand(
            "messages.3.content: Input should be a valid list",
            "messages",
            "messages: Input should be a valid list",
            True,
        ),
        (
            "stop_sequences: each stop sequence must contain non-whitespace",
            "stop",
            "stop: each stop sequence must contain non-whitespace",
            False,
        ),
    ],
)
def test_a_refused_parameter_is_named_as_the_client_calls_it(
    start_gateway: StartGateway, message: str, param: str, told: str, stream: bool
) -> None:
    gateway = start_gateway()  # of its own, as it learns
    gateway.upstream.script = lambda _: Failure(400, "invalid_request_error", message)
    reply = post(gateway, stream=stream)
    assert (reply.status, reply.error["param"]) == (400, param)
    assert told in reply.error["message"]
    assert reply.error["type"] == "invalid_request_error"


def test_an_answer_without_anything_is_empty(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: Answer(blocks=())
    assert chat(gateway).choice == Choice(finish_reason="stop")
