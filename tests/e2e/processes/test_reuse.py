"""One process, any number of conversations: of one caller and set-up, with no trace of another."""

import json
import threading
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from gateway_claude_code.upstream import (
    MessagesRequest,
    Reply,
    TextBlock,
    ToolUseBlock,
    offline_script,
    running_upstream,
    text_answer,
)
from gateway_claude_code.upstream.script import Answer
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway, running_gateway

pytestmark = pytest.mark.e2e

Message = dict[str, Any]
NUMBERS = count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, cli_command: str) -> Iterator[RunningGateway]:
    """A gateway as it is by default."""
    with running_upstream(offline_script) as upstream:
        environment = {"DRAGOMAN_CLAUDE_COMMAND": cli_command}
        folder = tmp_path_factory.mktemp("gateway")
        with running_gateway(folder, upstream, {}, environment) as gateway:
            yield gateway


class Client:
    """A program with a set-up of its own, which is its system prompt."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._gateway = gateway
        self._system = {"role": "system", "content": f"You are number {next(NUMBERS)}."}
        gateway.upstream.script = _echo
        gateway.upstream.requests.clear()

    def ask(self, *messages: Message, **fields: Any) -> Message:
        """The assistant's message."""
        answer = self._gateway.client.chat.completions.create(
            **{"model": "claude-sonnet-4", "messages": [self._system, *messages], **fields}
        )
        return answer.choices[0].message.model_dump(exclude_none=True)

    def leave(self, *messages: Message) -> None:
        """Ask, and go away at the first words."""
        body = {"model": "claude-sonnet-4", "messages": [self._system, *messages], "stream": True}
        url = f"{self._gateway.url}/v1/chat/completions"
        with httpx.stream("POST", url, json=body, timeout=60) as answer:
            next(answer.iter_lines())

    @property
    def requests(self) -> list[MessagesRequest]:
        """Those that reached the upstream."""
        return self._gateway.upstream.requests

    @property
    def processes(self) -> list[str]:
        """Which process each of them came from."""
        return [asked_by(request) for request in self.requests]


@pytest.fixture
def client(shared: RunningGateway) -> Client:
    return Client(shared)


def _echo(request: MessagesRequest) -> Reply:
    return text_answer(f"To {said(request)[-1]}.")


def said(request: MessagesRequest) -> list[str]:
    """All texts of the conversation, without the CLI's own."""
    return [
        block["text"]
        for turn in request.turns
        if turn["role"] != "system"
        for block in (
            [{"text": turn["content"]}] if isinstance(turn["content"], str) else turn["content"]
        )
        if "text" in block and not block["text"].startswith("<system-reminder>")
    ]


def asked_by(request: MessagesRequest) -> str:
    """The session of the CLI, one for each process."""
    return str(json.loads(request.body["metadata"]["user_id"])["session_id"])


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def a_tool(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def names(request: MessagesRequest) -> list[str]:
    return [tool["name"] for tool in request.tools]


def test_one_shot_requests_share_few_processes(client: Client) -> None:
    for number in range(8):
        client.ask(user(f"title {number}"))
    assert [said(request) for request in client.requests] == [[f"title {n}"] for n in range(8)]
    assert len(set(client.processes)) <= 4


def test_a_batch_by_many_clients_shares_few_processes(client: Client) -> None:
    def asks(worker: int) -> None:
        for number in range(3):
            client.ask(user(f"item {worker} {number}"))

    workers = [threading.Thread(target=asks, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(said(request) for request in client.requests) == sorted(
        [f"item {worker} {number}"] for worker in range(8) for number in range(3)
    )
    assert len(set(client.processes)) < 8


def test_a_chat_keeps_its_process_while_titles_are_asked_for(client: Client) -> None:
    chat = [user("one")]
    for number in range(2):
        chat += [client.ask(*chat), user(f"more {number}")]
        client.ask(user(f"A title for chat {number}?"))
    client.ask(*chat)
    first, _, second, _, third = client.processes
    assert first == second == third
    assert said(client.requests[-1]) == [
        "one", "To one.", "more 0", "To more 0.", "more 1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        (lambda chat: chat, ["one", "To one.", "two", "To two.", "three"]),
        (lambda chat: [*chat[:-1], user("3")], ["one", "To one.", "two", "To two.", "3"]),
        (lambda chat: [*chat[:2], user("2")], ["one", "To one.", "2"]),
        (
            lambda chat: [*chat, {"role": "assistant", "content": "other"}, user("four")],
            ["one", "To one.", "two", "To two.", "three", "other", "four"],
        ),
    ],
    ids=["regenerated", "the last message edited", "an earlier one edited", "forked"],
)
def test_what_a_process_has_of_a_conversation_is_not_given_again(
    client: Client, change: Callable[[list[Message]], list[Message]], texts: list[str]
) -> None:
    chat = [user("one")]
    for text in ("two", "three"):
        chat += [client.ask(*chat), user(text)]
    client.ask(*chat)
    client.ask(*change(chat))
    *_, before, after = client.requests
    assert asked_by(before) == asked_by(after)
    assert said(after) == texts


def test_an_agent_with_many_sets_of_tools_is_one_set_up(client: Client) -> None:
    sets = [["look"], ["listen", "Walk"], [], ["look"], ["listen"]]
    for number, offered in enumerate(sets * 2):
        tools = [a_tool(name) for name in offered]
        client.ask(user(f"go {number}"), **({"tools": tools} if tools else {}))
    assert [names(request) for request in client.requests] == [
        [f"mcp__t__{name}" for name in offered] for offered in sets * 2
    ]
    assert len(set(client.processes)) <= 4


def test_tools_that_were_exchanged_are_called(shared: RunningGateway, client: Client) -> None:
    for name in ("look", "listen", "walk", "run", "look"):
        client.ask(user("Hi"), tools=[a_tool(name)])
    shared.upstream.script = lambda request: (
        text_answer("Done.")
        if request.last_tool_results
        else Answer(blocks=(ToolUseBlock("mcp__t__run", {}),))
    )
    question, tools = user("Run."), [a_tool("run")]
    called = client.ask(question, tools=tools)
    [call] = called["tool_calls"]
    assert call["function"]["name"] == "run"
    result = {"role": "tool", "tool_call_id": call["id"], "content": "ran"}
    assert client.ask(question, called, result, tools=tools)["content"] == "Done."
    assert asked_by(client.requests[-1]) == asked_by(client.requests[-2])
    assert asked_by(client.requests[-1]) in client.processes[:5]


def test_a_client_that_leaves_does_not_cost_the_process(
    shared: RunningGateway, client: Client
) -> None:
    chat = [user("one")]
    chat += [client.ask(*chat), user("two")]
    endless = Answer(blocks=(TextBlock("word " * 5000),), delay_seconds=0.01)
    shared.upstream.script = lambda _: endless
    client.leave(*chat)
    shared.upstream.script = _echo
    shared.wait_until_at_rest()
    client.ask(*chat)
    first, left, again = client.requests
    assert asked_by(first) == asked_by(left) == asked_by(again)
    assert said(again) == ["one", "To one.", "two"]


@pytest.mark.parametrize(
    ("reuse", "headers"),
    [("conversation", {}), ("off", {}), (None, {"x-forwarded-for": "203.0.113.7"})],
    ids=["conversation", "off", "behind a proxy, without keys"],
)
def test_where_a_process_has_one_conversation_only(
    reuse: str | None, headers: dict[str, str], start_gateway: StartGateway
) -> None:
    section = {"max_spares": 1} if reuse is None else {"max_spares": 1, "reuse": reuse}
    client = Client(start_gateway(config={"plugins": {"claude_code": section}}))
    for number in range(2):
        client.ask(user(f"title {number}"), extra_headers=headers)
    assert len(set(client.processes)) == 2
    chat = [user("one")]
    chat += [client.ask(*chat, extra_headers=headers), user("two")]
    client.ask(*chat, extra_headers=headers)
    *_, first, second = client.processes
    assert (first == second) is (reuse != "off")
