"""A model that is an agent: the CLI's own tools in a folder, and for no other model."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    TextBlock,
    ToolUseBlock,
    in_order,
    text_answer,
)
from tests.e2e.bodies import HI, Choice, asked_again, chat, function, post
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The agent's folder, with a file; beside it is one that is none of its business."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "secret.txt").write_text("the word is marzipan\n", encoding="utf-8")
    (tmp_path / "outside.txt").write_text("not for you\n", encoding="utf-8")
    return folder


@pytest.fixture
def agents(start_gateway: StartGateway, folder: Path) -> RunningGateway:
    agent = {"directory": str(folder), "tools": ["Read"]}
    entry = {"backend": "claude-code", "target": "claude-sonnet-4"}
    models = {"claude-sonnet-4": entry, "reader": {**entry, "options": {"agent": agent}}}
    return start_gateway(config={"models": models, "plugins": {}})


def reading(path: Path, *more: ToolUseBlock) -> Answer:
    call = ToolUseBlock("Read", {"file_path": str(path)})
    return Answer(blocks=(TextBlock("Let me look. "), call, *more))


def say_result(request: MessagesRequest) -> Answer:
    content = request.last_tool_results[0]["content"]
    return text_answer(content if isinstance(content, str) else content[0]["text"])


def session(request: MessagesRequest) -> str:
    return str(json.loads(request.body["metadata"]["user_id"])["session_id"])


def reads(gateway: RunningGateway, path: Path, **fields: Any) -> Choice:
    def script(request: MessagesRequest) -> Answer:
        return say_result(request) if request.last_tool_results else reading(path)

    gateway.upstream.script = script
    return chat(gateway, **fields).choice


def test_an_agent_reads_a_file_of_its_folder_and_answers(
    agents: RunningGateway, folder: Path
) -> None:
    choice = reads(agents, folder / "secret.txt", model="reader", stream=True)
    assert choice.content.startswith("Let me look. ")
    assert "the word is marzipan" in choice.content
    assert choice.reasoning == f'Read {{"file_path": "{folder / "secret.txt"}"}}\n'
    assert (choice.tool_calls, choice.finish_reason) == ([], "stop")
    assert [tool["name"] for tool in agents.upstream.requests[0].tools] == ["Read"]

    agents.upstream.script = text_answer_to_all
    history = [*HI, {"role": "assistant", "content": choice.content}, *HI]
    chat(agents, model="reader", messages=history)
    assert session(agents.upstream.requests[-1]) == session(agents.upstream.requests[0])


def text_answer_to_all(request: MessagesRequest) -> Answer:
    return text_answer("Fine.")


def test_nobody_else_reads_and_nothing_else_is_read(agents: RunningGateway, folder: Path) -> None:
    """An ordinary model has no such tool; the agent's ends at its folder."""
    ordinary = reads(agents, folder / "secret.txt", tools=[function("look")])
    offered = [tool["name"] for tool in agents.upstream.requests[0].tools]
    assert offered == ["mcp__t__look"]
    assert "marzipan" not in ordinary.content
    outside = reads(agents, folder.parent / "outside.txt", model="reader")
    assert "not for you" not in outside.content
    assert "permission" in outside.content.lower()


def test_an_agent_calls_a_tool_of_the_client_as_well(agents: RunningGateway, folder: Path) -> None:
    look = ToolUseBlock("mcp__t__look", {})
    agents.upstream.script = in_order(
        reading(folder / "secret.txt"),
        Answer(blocks=(look,)),
        text_answer("Blue marzipan."),
    )
    fields: dict[str, Any] = {"model": "reader", "tools": [function("look")]}
    choice = chat(agents, **fields).choice
    [call] = choice.tool_calls
    assert (call["name"], choice.finish_reason) == ("look", "tool_calls")
    messages = [*HI, *asked_again(choice, {call["id"]: "blue"})]
    assert chat(agents, **fields, messages=messages).choice.content == "Blue marzipan."
    first, *_, last = agents.upstream.requests
    assert session(first) == session(last)
    assert [part["text"] for part in last.last_tool_results[0]["content"]] == ["blue"]


def test_an_agent_answers_by_no_schema(agents: RunningGateway) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    reply = post(agents, model="reader", response_format=form)
    assert (reply.status, reply.error["param"]) == (400, "response_format")
