"""What one request of a conversation has in common with the next: the API caches just that."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from gateway_claude_code.upstream import Answer, Failure, MessagesRequest, ToolUseBlock, text_answer
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

LOOK_BACK = 20
"""Blocks before a mark where the API looks for the end of an earlier request's prefix."""

TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}
TALK = ("one", "first", "two", "second", "three", "third", "four")


def conversation(turns: int) -> list[dict[str, Any]]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(TALK[: 2 * turns - 1])]


def blocks(request: MessagesRequest) -> list[tuple[str, bool]]:
    """All of a prompt in the API's order, each block with whether it has a mark."""
    body = request.body

    def each(place: str, content: Any) -> Iterator[tuple[str, bool]]:
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            plain = {key: value for key, value in block.items() if key != "cache_control"}
            yield json.dumps([place, plain], sort_keys=True), "cache_control" in block

    found = [*each("tools", body.get("tools") or []), *each("system", body["system"])]
    for message in body["messages"]:
        found += each(message["role"], message["content"])
    return found


def cached(earlier: MessagesRequest, later: MessagesRequest) -> int:
    """How many blocks of the later request the API has from the earlier one."""
    old, new = blocks(earlier), blocks(later)
    ends = [n + 1 for n, (_, marked) in enumerate(old) if marked]
    looks = [n + 1 for n, (_, marked) in enumerate(new) if marked]
    plain = [text for text, _ in new]
    return max(
        (
            end
            for end in ends
            if plain[:end] == [text for text, _ in old[:end]]
            and any(end <= look <= end + LOOK_BACK for look in looks)
        ),
        default=0,
    )


def ask(gateway: RunningGateway, turns: int, **fields: Any) -> MessagesRequest:
    messages = [{"role": "system", "content": "Be brief."}, *conversation(turns)]
    gateway.upstream.script = lambda _: text_answer(TALK[2 * turns - 1])
    gateway.client.chat.completions.create(model="claude-sonnet-4", messages=messages, **fields)
    return gateway.upstream.requests[-1]


def place_of(request: MessagesRequest, text: str) -> int:
    (place,) = [n for n, (block, _) in enumerate(blocks(request)) if f'"text": "{text}"' in block]
    return place


@pytest.mark.parametrize("fields", [{}, {"tools": [TOOL]}], ids=["plain", "tools"])
def test_of_a_conversation_that_is_sent_anew_all_but_the_last_exchange_is_cached(
    gateway: RunningGateway, fields: dict[str, Any]
) -> None:
    requests = [ask(gateway, turns, **fields) for turns in (1, 2, 3)]
    for request in requests:
        assert request.cache_marks <= 4
    for turns, (earlier, later) in enumerate(pairwise(requests)):
        assert cached(earlier, later) > place_of(later, TALK[2 * turns])


def test_a_restart_of_the_gateway_changes_nothing(start_gateway: StartGateway) -> None:
    earlier = ask(start_gateway(), 2)
    later = ask(start_gateway(), 3)
    assert cached(earlier, later) > place_of(later, "two")


def test_a_conversation_that_goes_on_in_its_process_is_cached_to_its_end(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(config={"plugins": {}})
    earlier, later = [ask(gateway, turns) for turns in (1, 2)]
    assert later.cache_marks <= 4
    last = max(n for n, (_, marked) in enumerate(blocks(earlier)) if marked)
    assert cached(earlier, later) == last + 1


def test_results_of_calls_are_cached_too(gateway: RunningGateway) -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Look."}]
    requests = []
    for _ in range(3):
        gateway.upstream.script = lambda _: Answer(blocks=(ToolUseBlock("mcp__t__look"),))
        answer = (
            gateway.client.chat.completions.create(
                model="claude-sonnet-4", messages=messages, tools=[TOOL]
            )
            .choices[0]
            .message
        )
        requests.append(gateway.upstream.requests[-1])
        call = answer.tool_calls[0]
        messages += [
            answer.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "The sea."},
        ]
    for earlier, later in pairwise(requests):
        assert later.cache_marks <= 4
        assert cached(earlier, later) > place_of(earlier, "Look.")


def test_an_upstream_that_refuses_the_mark_is_asked_without_it(start_gateway: StartGateway) -> None:
    gateway = start_gateway()

    def script(request: MessagesRequest) -> Answer | Failure:
        if request.cache_marks > 3:
            return Failure(400, "invalid_request_error", "Found 4 blocks with cache_control.")
        return text_answer("Fine.")

    gateway.upstream.script = script
    marks: list[list[int]] = []
    for _ in range(2):
        gateway.upstream.requests.clear()
        completion = gateway.client.chat.completions.create(
            model="claude-sonnet-4",
            messages=[{"role": "system", "content": "Be brief."}, *conversation(2)],
        )
        assert completion.choices[0].message.content == "Fine."
        marks.append([request.cache_marks for request in gateway.upstream.requests])
    # the CLI may repeat what was refused by itself
    assert (marks[0][0], marks[0][-1], marks[1]) == (4, 3, [3])
