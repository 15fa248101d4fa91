"""Answers after which the CLI would ask again by itself, and answers that are at odds with themselves."""

from typing import Any, Final

import httpx
import pytest

from gateway_claude_code.upstream import (
    Answer,
    Failure,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
    in_order,
    text_answer,
)
from tests.e2e.bodies import chat, function, post
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

LOOK: Final = function("look")
SECOND: Final = text_answer("the second answer")
PICTURE: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWj"
    "R9awAAAABJRU5ErkJggg=="
)
SAID: Final = {
    "thinking only": (Answer(blocks=(ThinkingBlock("Hm."),)), "", "stop"),
    "nothing": (Answer(), "", "stop"),
    "blanks": (Answer(blocks=(TextBlock(" \n "),)), " \n ", "stop"),
    "no call": (Answer(blocks=(TextBlock("Let"),), stop_reason="tool_use"), "Let", "stop"),
    "cut": (Answer(blocks=(TextBlock("Once"),), stop_reason="max_tokens"), "Once", "length"),
    "refused": (
        Answer(
            blocks=(TextBlock("I"),),
            stop_reason="refusal",
            stop_details={"type": "refusal", "category": "cyber", "explanation": "Not this."},
        ),
        "I",
        "content_filter",
    ),
}


def completion(gateway: RunningGateway, **fields: Any) -> dict[str, Any]:
    """The whole answer as it is on the wire."""
    body = {"model": "claude-sonnet-4", "messages": [{"role": "user", "content": "Hi"}], **fields}
    found: dict[str, Any] = httpx.post(
        f"{gateway.url}/v1/chat/completions", json=body, timeout=30
    ).json()
    return found


@pytest.mark.parametrize(
    ("name", "fields"),
    [*((name, {}) for name in SAID), ("nothing", {"tools": [LOOK]}), ("cut", {"tools": [LOOK]})],
)
def test_the_first_answer_is_the_answer(
    gateway: RunningGateway, name: str, fields: dict[str, Any]
) -> None:
    answer, text, reason = SAID[name]
    gateway.upstream.script = in_order(answer, SECOND)
    choice = chat(gateway, stream=True, **fields).choice
    assert (choice.content, choice.finish_reason) == (text, reason)
    gateway.wait_until_idle()
    assert len(gateway.upstream.requests) == 1


def test_the_words_of_a_refusal(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(SAID["refused"][0], SECOND)
    message = completion(gateway)["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == ("I", "Not this.")


@pytest.mark.parametrize(
    "call",
    [
        Answer(blocks=(ToolUseBlock("mcp__t__look", {"at": "sea"}),), stop_reason="end_turn"),
        Answer(blocks=(ToolUseBlock("mcp__t__look", {"at": "sea"}, at_once=True),)),
    ],
    ids=["end_turn", "input at once"],
)
def test_a_call_is_a_call(gateway: RunningGateway, call: Answer) -> None:
    gateway.upstream.script = in_order(call, SECOND)
    choice = chat(gateway, tools=[LOOK]).choice
    assert [found["arguments"] for found in choice.tool_calls] == ['{"at": "sea"}']
    assert choice.finish_reason == "tool_calls"


def test_zeros_at_the_end_erase_no_usage(gateway: RunningGateway) -> None:
    usage = Usage(input_tokens=1000, output_tokens=50)
    answer = Answer(blocks=(TextBlock("Hi"),), usage=usage, last_usage={"input_tokens": 0})
    gateway.upstream.script = in_order(answer)
    found = completion(gateway)["usage"]
    assert (found["prompt_tokens"], found["completion_tokens"]) == (1000, 50)


def test_a_picture_that_the_api_refuses_is_named(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(
        Failure(400, "invalid_request_error", "Could not process image"), SECOND
    )
    parts = [{"type": "image_url", "image_url": {"url": PICTURE}}, {"type": "text", "text": "?"}]
    reply = post(gateway, messages=[{"role": "user", "content": parts}])
    assert (reply.status, reply.error["param"]) == (400, "messages[0].content[0].image_url.url")
