"""Processes that wait: spares, conversations that go on, and calls that wait for their results."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    Script,
    TextBlock,
    ToolUseBlock,
    text_answer,
)
from tests.cells import on_demand
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

TOOLS = [
    {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": {}}},
    }
    for name in ("look", "listen")
]


@pytest.fixture
def waiting(start_gateway: StartGateway) -> RunningGateway:
    """A gateway whose processes wait, each for its own conversation only."""
    section = {"reuse": "conversation", "max_spares": 1}
    gateway = start_gateway(config={"plugins": {"claude_code": section}})
    until(lambda: counts(gateway)["spare"] == 1)
    return gateway


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def counts(gateway: RunningGateway) -> dict[str, int]:
    health = httpx.get(f"{gateway.url}/health").json()
    return health["claude_code"].get("processes", {"spare": 0})


def ask(
    gateway: RunningGateway, messages: list[dict[str, Any]], script: Script, **fields: Any
) -> dict[str, Any]:
    """The assistant's message."""
    gateway.upstream.script = script
    answer = gateway.client.chat.completions.create(
        **{"model": "claude-sonnet-4", "messages": messages, **fields}
    )
    return answer.choices[0].message.model_dump(exclude_none=True)


def asked_by(request: MessagesRequest) -> str:
    """Which process a request came from: the CLI gives each of its sessions an id."""
    return str(json.loads(request.body["metadata"]["user_id"])["session_id"])


def turns(request: MessagesRequest) -> list[Any]:
    """The turns without the CLI's notes and marks for the cache."""
    found = []
    for turn in request.turns:
        content = turn["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        plain = [
            {key: value for key, value in block.items() if key != "cache_control"}
            for block in blocks
            if not str(block.get("text", "")).startswith("<system-reminder>")
        ]
        found.append((turn["role"], plain))
    return found


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def result(call: dict[str, Any], content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call["id"], "content": content}


def test_a_conversation_goes_on_in_its_process(waiting: RunningGateway) -> None:
    messages = [user("one")]
    for number in range(3):
        said = text_answer(f"answer {number}")
        messages += [ask(waiting, messages, lambda _, said=said: said), user(f"more {number}")]
    requests = waiting.upstream.requests
    assert len({asked_by(request) for request in requests}) == 1
    assert [len(turns(request)) for request in requests] == [1, 3, 5]


def test_a_fresh_process_sends_the_same_turns(waiting: RunningGateway) -> None:
    messages = [user("one")]
    messages += [ask(waiting, messages, lambda _: text_answer("first")), user("two")]
    ask(waiting, messages, lambda _: text_answer("second"))
    ask(waiting, messages, lambda _: text_answer("another"))
    _, live, fresh = waiting.upstream.requests
    assert asked_by(live) != asked_by(fresh)
    assert turns(live) == turns(fresh)


@pytest.mark.parametrize(
    "change",
    [
        lambda messages: messages[1].update(content="first!"),
        on_demand(lambda messages: messages[0].update(content="one ")),
        lambda messages: messages.insert(0, {"role": "system", "content": "Be brief."}),
        on_demand(lambda messages: messages.insert(1, user("and"))),
    ],
)
def test_another_conversation_gets_another_process(
    waiting: RunningGateway, change: Callable[[list[dict[str, Any]]], object]
) -> None:
    messages = [user("one")]
    messages += [ask(waiting, messages, lambda _: text_answer("first")), user("two")]
    change(messages)
    ask(waiting, messages, lambda _: text_answer("second"))
    first, second = waiting.upstream.requests
    assert asked_by(first) != asked_by(second)


@pytest.mark.parametrize(
    "fields",
    [{"temperature": 0.5}, {"model": "claude-haiku-4"}, on_demand({"tools": TOOLS}), on_demand({"stop": ["x"]}),
     on_demand({"reasoning_effort": "low"}), on_demand({"max_tokens": 5000})],
)  # fmt: skip
def test_other_parameters_get_another_process(
    waiting: RunningGateway, fields: dict[str, Any]
) -> None:
    messages = [user("one")]
    messages += [ask(waiting, messages, lambda _: text_answer("first")), user("two")]
    ask(waiting, messages, lambda _: text_answer("second"), **fields)
    first, second = waiting.upstream.requests
    assert asked_by(first) != asked_by(second)


def test_of_two_that_go_on_at_once_one_gets_the_process(waiting: RunningGateway) -> None:
    messages = [user("one")]
    messages += [ask(waiting, messages, lambda _: text_answer("first")), user("two")]
    answers: list[Any] = []

    def go_on() -> None:
        answers.append(ask(waiting, messages, lambda _: text_answer("second")))

    threads = [threading.Thread(target=go_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["content"] for answer in answers] == ["second", "second"]
    first, *others = waiting.upstream.requests
    assert len({asked_by(request) for request in others}) == 2
    assert asked_by(first) in {asked_by(request) for request in others}


def call_both(_: MessagesRequest) -> Answer:
    blocks = (
        TextBlock("Let me see."),
        ToolUseBlock("mcp__t__look", {"far": 1.0}),
        ToolUseBlock("mcp__t__listen", {}),
    )
    return Answer(blocks=blocks)


def test_results_go_to_the_process_that_waits_for_them(waiting: RunningGateway) -> None:
    messages = [user("go")]
    of_model = {"model": "claude-haiku-4", "tools": TOOLS}
    called = ask(waiting, messages, call_both, **of_model, tool_choice="required")
    look, listen = called["tool_calls"]
    messages += [
        called,
        result(listen, "silence"),
        result(look, [{"type": "text", "text": "/sea"}]),
    ]
    ask(waiting, messages, lambda _: text_answer("done"), **of_model, tool_choice="auto")
    ask(waiting, messages, lambda _: text_answer("done"), **of_model, tool_choice="auto")
    first, parked, fresh = waiting.upstream.requests
    assert asked_by(first) == asked_by(parked) != asked_by(fresh)
    assert turns(parked) == turns(fresh)
    assert first.tool_choice["type"] == "any"
    assert parked.tool_choice["type"] == "auto"


def rewritten(message: dict[str, Any]) -> dict[str, Any]:
    """What clients do to a message on the way: other ids, other JSON, a list for the text."""
    calls = [
        {
            **call,
            "id": f"call_{number}",
            "function": {
                **call["function"],
                "arguments": json.dumps(
                    json.loads(call["function"]["arguments"]), indent=1
                ).replace("1.0", "1"),
            },
        }
        for number, call in enumerate(message["tool_calls"])
    ]
    content = [{"type": "text", "text": message["content"]}]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def test_a_rewritten_history_is_still_the_same(waiting: RunningGateway) -> None:
    messages = [user("go")]
    called = rewritten(ask(waiting, messages, call_both, tools=TOOLS))
    messages += [called, *(result(call, "a result") for call in called["tool_calls"])]
    ask(waiting, messages, lambda _: text_answer("done"), tools=TOOLS)
    first, parked = waiting.upstream.requests
    assert asked_by(first) == asked_by(parked)


@pytest.mark.parametrize(
    "new",
    [
        lambda look, listen: [result(look, "sea"), result(listen, "silence"), user("well?")],
        on_demand(lambda look, _: [result(look, "sea")]),
        lambda look, listen: [result(look, ""), result(listen, "silence")],
        on_demand(lambda look, listen: [result(look, "x" * 60_000), result(listen, "silence")]),
    ],
)
def test_anything_but_the_results_gets_another_process(
    waiting: RunningGateway, new: Callable[..., list[dict[str, Any]]]
) -> None:
    messages = [user("go")]
    called = ask(waiting, messages, call_both, tools=TOOLS)
    messages += [called, *new(*called["tool_calls"])]
    assert ask(waiting, messages, lambda _: text_answer("done"), tools=TOOLS)["content"] == "done"
    first, second = waiting.upstream.requests
    assert asked_by(first) != asked_by(second)
    assert turns(second)[-1][1][0]["tool_use_id"] == turns(second)[1][1][1]["id"]


def test_a_process_that_died_meanwhile_is_replaced(waiting: RunningGateway) -> None:
    messages = [user("one")]
    messages += [ask(waiting, messages, lambda _: text_answer("first")), user("two")]
    for pid in waiting.processes():
        os.kill(pid, signal.SIGTERM)
    assert ask(waiting, messages, lambda _: text_answer("second"))["content"] == "second"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(blocks=(TextBlock("cut"),), stop_reason="max_tokens"),
        on_demand(Answer(blocks=(TextBlock("no"),), stop_reason="refusal")),
        Answer(blocks=(TextBlock("a"), TextBlock("b"))),
    ],
)
def test_what_the_process_may_not_have_as_the_client_has_it_is_begun_anew(
    waiting: RunningGateway, answer: Answer
) -> None:
    messages = [user("one")]
    said = ask(waiting, messages, lambda _: answer)
    waiting.upstream.requests.clear()
    ask(waiting, [*messages, said, user("two")], lambda _: text_answer("second"))
    assert len(turns(waiting.upstream.requests[-1])) == 3
    assert turns(waiting.upstream.requests[-1])[1][1] == [{"type": "text", "text": said["content"]}]
