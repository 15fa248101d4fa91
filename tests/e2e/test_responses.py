"""The Responses API over the real CLI: tool loops that keep the model's thinking, and state."""

import json
from typing import Any

import pytest

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)
from gateway_openai_responses.wire.request import ENCRYPTED
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

ROUNDS = 3
PATCH = '*** Begin Patch\n*** Add File: "é"\n*** End Patch'
TOOLS: Any = [
    {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}},
    {"type": "custom", "name": "apply_patch", "format": {"type": "text"}},
]
MODEL = "claude-sonnet-4"


def working(request: MessagesRequest) -> Answer:
    """Three rounds of thinking and calls, and then a text."""
    done = sum(turn["role"] == "assistant" for turn in request.turns)
    if done == ROUNDS:
        return Answer(blocks=(ThinkingBlock("Done."), TextBlock("It is done.")))
    calls: tuple[ToolUseBlock, ...] = (ToolUseBlock("mcp__t__look"),)
    if done == 1:
        calls = (*calls, ToolUseBlock("mcp__t__apply_patch", {"input": PATCH}))
    return Answer(blocks=(ThinkingBlock(f"Round {done}."), TextBlock("Next:"), *calls))


def results_of(output: list[Any]) -> list[Any]:
    outputs = {
        "function_call": "function_call_output",
        "custom_tool_call": "custom_tool_call_output",
    }
    return [
        {"type": outputs[item.type], "call_id": item.call_id, "output": f"result of {item.name}"}
        for item in output
        if item.type in outputs
    ]


def thinking_of(request: MessagesRequest) -> list[str]:
    return [
        block["thinking"]
        for turn in request.turns
        if turn["role"] == "assistant"
        for block in turn["content"]
        if block["type"] == "thinking"
    ]


def test_a_stateless_tool_loop_keeps_the_thinking(gateway_as_usual: RunningGateway) -> None:
    """As Codex does it: streamed, not kept, with `encrypted_content`."""
    gateway_as_usual.upstream.script = working
    items: list[Any] = [{"role": "user", "content": "Work."}]
    ask: Any = {"model": MODEL, "tools": TOOLS, "store": False, "include": [ENCRYPTED]}
    inputs = []
    for _ in range(ROUNDS + 1):
        with gateway_as_usual.client.responses.stream(**ask, input=items) as stream:
            response = stream.get_final_response()
        inputs += [item.input for item in response.output if item.type == "custom_tool_call"]
        # only what a client sends: the parsed fields are the SDK's own
        items += [item.to_dict(exclude_none=True) for item in response.output]
        items += results_of(response.output)
    assert response.output_text == "It is done."
    assert inputs == [PATCH]
    *_, last = gateway_as_usual.upstream.requests
    assert thinking_of(last) == ["Round 0.", "Round 1.", "Round 2."]
    assert json.dumps(last.turns).count("result of ") == ROUNDS + 1


def test_a_conversation_goes_on_by_its_id(gateway_as_usual: RunningGateway) -> None:
    gateway_as_usual.upstream.script = working
    client = gateway_as_usual.client
    response = client.responses.create(model=MODEL, tools=TOOLS, input="Work.")
    for _ in range(ROUNDS):
        response = client.responses.create(
            model=MODEL,
            tools=TOOLS,
            previous_response_id=response.id,
            input=results_of(response.output),
        )
    assert response.output_text == "It is done."
    *_, last = gateway_as_usual.upstream.requests
    assert thinking_of(last) == ["Round 0.", "Round 1.", "Round 2."]
    assert client.responses.retrieve(response.id).output_text == "It is done."


def test_thinking_that_a_new_process_can_t_have_is_left_out_and_said(
    gateway: RunningGateway,
) -> None:
    """Each request has a process of its own here, as after a restart."""
    gateway.upstream.script = working
    client = gateway.client
    first = client.responses.create(model=MODEL, tools=TOOLS, input="Work.")
    raw = client.responses.with_raw_response.create(
        model=MODEL,
        tools=TOOLS,
        previous_response_id=first.id,
        input=results_of(first.output),
        reasoning={"effort": "low"},
        max_output_tokens=1_000_000,
    )
    assert raw.headers["x-dragoman-ignored"] == "input.reasoning"
    assert raw.headers["x-dragoman-adjusted"] == "max_output_tokens=128000"
    assert raw.parse().status == "completed"
    assert thinking_of(gateway.upstream.requests[-1]) == []
