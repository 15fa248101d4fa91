"""Many clients at once, and few processes: nothing is mixed up, and nothing is left over."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest
from openai import OpenAI

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    TextBlock,
    ToolUseBlock,
    text_answer,
)
from gateway_claude_code.upstream.request import result_text
from tests.cells import on_demand
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

SECRET = re.compile(r"secret-\d+-")


def echo(request: MessagesRequest) -> Answer:
    return text_answer(f"I keep {request.last_user_text}.")


def slow_echo(request: MessagesRequest) -> Answer:
    return Answer(blocks=(TextBlock(request.last_user_text),), delay_seconds=0.1)


def started(start_gateway: StartGateway, **config: Any) -> RunningGateway:
    """A gateway that has had its look at the CLI, which is a process as well."""
    gateway = start_gateway(config={"plugins": {"claude_code": config}})
    end = time.monotonic() + 20
    while health(gateway)["status"] == "starting":
        assert time.monotonic() < end
        time.sleep(0.02)
    return gateway


def health(gateway: RunningGateway) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{gateway.url}/health").json()["claude_code"]
    return answer


def counts(gateway: RunningGateway) -> dict[str, int]:
    found: dict[str, int] = health(gateway)["processes"]
    return found


def chat(client: OpenAI, number: int, turns: int) -> list[str]:
    """A conversation of so many turns, each with a secret of this client; the answers."""
    messages: list[Any] = []
    for turn in range(turns):
        messages.append({"role": "user", "content": f"secret-{number}-{turn}"})
        answer = client.chat.completions.create(model="claude-sonnet-4", messages=messages)
        messages.append({"role": "assistant", "content": answer.choices[0].message.content})
    return [message["content"] for message in messages[1::2]]


@pytest.mark.parametrize(("clients", "turns"), [(6, 4), on_demand(16, 10)])
def test_no_conversation_ever_holds_anothers_secret(
    start_gateway: StartGateway, clients: int, turns: int
) -> None:
    gateway = started(start_gateway, max_processes=clients + 1, max_live=clients - 2)
    gateway.upstream.script = echo
    most = 0
    with ThreadPoolExecutor(clients + 1) as threads:
        chats = [threads.submit(chat, gateway.client, number, turns) for number in range(clients)]
        while not all(each.done() for each in chats):
            most = max(most, len(gateway.processes()))
            time.sleep(0.02)
    assert most <= clients + 1
    for number, each in enumerate(chats):
        assert each.result() == [f"I keep secret-{number}-{turn}." for turn in range(turns)]
    assert len(gateway.upstream.requests) == clients * turns
    for request in gateway.upstream.requests:
        assert len(set(SECRET.findall(str(request.body)))) == 1


def test_without_requests_only_the_least_number_of_spares_is_left(
    start_gateway: StartGateway,
) -> None:
    gateway = started(start_gateway, keep_alive=1, max_spares=1)
    gateway.upstream.script = echo
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: chat(gateway.client, number, 1), range(4)))
    end = time.monotonic() + 20
    while counts(gateway) != {"busy": 0, "live": 0, "spare": 1, "aside": 0, "waiting": 0}:
        assert time.monotonic() < end, counts(gateway)
        time.sleep(0.1)
    assert len(gateway.processes()) == 1


def test_one_process_serves_all_in_turn(start_gateway: StartGateway) -> None:
    gateway = started(start_gateway, max_processes=1)
    gateway.upstream.script = echo
    with ThreadPoolExecutor(4) as threads:
        chats = list(threads.map(lambda number: chat(gateway.client, number, 2), range(4)))
    assert [answers[0] for answers in chats] == [f"I keep secret-{n}-0." for n in range(4)]
    assert len(gateway.processes()) <= 1


def test_too_many_at_once_are_told_to_come_back(start_gateway: StartGateway) -> None:
    gateway = started(start_gateway, max_processes=1, max_queue=1, max_live=0)
    gateway.upstream.script = slow_echo

    def ask(number: int) -> httpx.Response:
        message = {"role": "user", "content": f"secret-{number}"}
        return httpx.post(
            f"{gateway.url}/v1/chat/completions",
            json={"model": "claude-sonnet-4", "messages": [message]},
            timeout=60,
        )

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(4)))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert [answer.status_code for answer in refused] == [503, 503]
    for answer in refused:
        assert float(answer.headers["retry-after"]) > 0
        assert answer.json()["error"]["code"] == "gateway_busy"
        assert "plugins.claude_code.max_processes" in answer.json()["error"]["message"]
    assert ask(9).status_code == 200


TOOL: Any = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}


def call_then_echo(request: MessagesRequest) -> Answer:
    """Two calls for each of the user's turns, and after their results these."""
    results = request.last_tool_results
    if not results:
        return Answer(blocks=(ToolUseBlock("mcp__t__look"), ToolUseBlock("mcp__t__look")))
    return text_answer(" ".join(result_text(result) for result in results))


def chat_with_tools(client: OpenAI, number: int, turns: int, together: Barrier) -> list[str]:
    """As `chat`, with the secrets in the results of calls, given in the reverse of their order."""
    messages: list[Any] = []
    said: list[str] = []
    for turn in range(turns):
        messages.append({"role": "user", "content": f"secret-{number}-q"})
        for _ in range(2):  # the calls, and what follows their results
            together.wait(30)  # so that the calls of all wait at the same time
            answer = client.chat.completions.create(
                model="claude-sonnet-4", messages=messages, tools=[TOOL]
            )
            message = answer.choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            results = [
                {
                    "role": "tool",
                    "tool_call_id": call.id,
                    "content": f"secret-{number}-{turn}{place}",
                }
                for place, call in enumerate(message.tool_calls or ())
            ]
            messages.extend(reversed(results))
        said.append(messages[-1]["content"])
    return said


def test_no_call_ever_gets_the_results_of_anothers(start_gateway: StartGateway) -> None:
    gateway = started(start_gateway, max_processes=5, max_live=3)
    gateway.upstream.script = call_then_echo
    together = Barrier(5)

    def chat_with_others(number: int) -> list[str]:
        return chat_with_tools(gateway.client, number, 2, together)

    with ThreadPoolExecutor(5) as threads:
        chats = list(threads.map(chat_with_others, range(5)))
    for number, answers in enumerate(chats):
        assert answers == [f"secret-{number}-{turn}0 secret-{number}-{turn}1" for turn in range(2)]
    for request in gateway.upstream.requests:
        assert len(set(SECRET.findall(str(request.body)))) == 1
    assert len(gateway.processes()) <= 5
