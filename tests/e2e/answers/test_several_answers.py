"""Calls for several answers (`n`), and fewer processes than answers."""

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from gateway_access.keys.keyring import hash_key
from gateway_claude_code.upstream import Answer, Gate, MessagesRequest, TextBlock, text_answer
from tests.cells import on_demand
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

KEYS = {"ada": "dgm-ada", "bob": "dgm-bob"}
ACCESS = {"keys": [{"name": name, "hash": hash_key(key.encode())} for name, key in KEYS.items()]}


class Held:
    """An upstream whose answers wait for `gate`; `asked` are the users' texts, in order."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.asked: list[str] = []

    def __call__(self, request: MessagesRequest) -> Answer:
        self.asked.append(request.last_user_text)
        return Answer(blocks=(TextBlock("Hello"),), gates={1: self.gate})


def body_of(n: int, text: str) -> dict[str, Any]:
    message = {"role": "user", "content": text}
    return {"model": "claude-sonnet-4", "messages": [message], "n": n}


def ask(
    gateway: RunningGateway, n: int, text: str = "Hi", key: str = "ada", **fields: Any
) -> httpx.Response:
    return httpx.post(
        f"{gateway.url}/v1/chat/completions",
        json={**body_of(n, text), **fields},
        headers={"authorization": f"Bearer {KEYS[key]}"},
        timeout=120,
    )


def started(start_gateway: StartGateway, script: Any, **config: Any) -> RunningGateway:
    claude_code = {"max_spares": 0, "max_live": 0, **config}
    gateway = start_gateway(
        config={"plugins": {"claude_code": claude_code, "access": ACCESS}}, script=script
    )
    until(lambda: claude_code_health(gateway)["status"] != "starting")
    return gateway


def claude_code_health(gateway: RunningGateway) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {KEYS['ada']}"}
    found: dict[str, Any] = httpx.get(f"{gateway.url}/health", headers=headers).json()
    part: dict[str, Any] = found["claude_code"]
    return part


def waiting(gateway: RunningGateway) -> int:
    number: int = claude_code_health(gateway)["processes"]["waiting"]
    return number


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("stream", [False, on_demand(True)])
def test_one_process_is_enough_for_any_number_of_answers(
    start_gateway: StartGateway, stream: bool
) -> None:
    gateway = started(start_gateway, lambda _: text_answer("Hello"), max_processes=1, max_queue=1)
    answer = ask(gateway, 4, stream=stream)
    assert answer.status_code == 200
    if stream:
        assert answer.text.count('"finish_reason":"stop"') == 4
        assert answer.text.endswith("data: [DONE]\n\n")
    else:
        texts = [choice["message"]["content"] for choice in answer.json()["choices"]]
        assert texts == ["Hello"] * 4
        usage = gateway.upstream.script(gateway.upstream.requests[0]).usage  # type: ignore[union-attr]
        assert answer.json()["usage"]["completion_tokens"] == 4 * usage.output_tokens
    assert len(gateway.upstream.requests) == 4


def test_calls_that_share_the_processes_come_to_their_end(start_gateway: StartGateway) -> None:
    """Two processes, given in turn to two calls of which each wants two."""
    script = Held()
    gateway = started(start_gateway, script, max_processes=2)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(ask, gateway, 2)
        until(lambda: len(script.asked) == 2)
        calls: list[Future[httpx.Response]] = []
        for number, key in enumerate(KEYS, start=1):
            calls.append(threads.submit(ask, gateway, 2, key=key))
            until(lambda number=number: waiting(gateway) == number)  # type: ignore[misc]
        script.gate.open()
        assert [call.result().status_code for call in (first, *calls)] == [200] * 3
    assert len(script.asked) == 6


def test_a_later_request_has_its_turn_between_the_answers(start_gateway: StartGateway) -> None:
    script = Held()
    gateway = started(start_gateway, script, max_processes=1)
    with ThreadPoolExecutor(2) as threads:
        many = threads.submit(ask, gateway, 3, "many")
        until(lambda: len(script.asked) == 1 and waiting(gateway) == 1)
        plain = threads.submit(ask, gateway, 1, "plain")
        until(lambda: waiting(gateway) == 2)
        script.gate.open()
        assert (many.result().status_code, plain.result().status_code) == (200, 200)
    assert script.asked == ["many", "many", "plain", "many"]


def test_when_the_client_leaves_all_its_answers_end(start_gateway: StartGateway) -> None:
    script = Held()
    gateway = started(start_gateway, script, max_processes=2)
    with socket.create_connection(address_of(gateway)) as client:
        client.sendall(raw_request({**body_of(8, "Hi"), "stream": False}))
        until(lambda: len(script.asked) == 2 and waiting(gateway) == 1)
    assert gateway.wait_until_idle() == []
    assert waiting(gateway) == 0
    assert len(script.asked) == 2


def address_of(gateway: RunningGateway) -> tuple[str, int]:
    url = httpx.URL(gateway.url)
    assert url.port is not None
    return url.host, url.port


def raw_request(body: dict[str, Any]) -> bytes:
    """A whole request, for a client that leaves without a word."""
    content = json.dumps(body).encode()
    lines = (
        "POST /v1/chat/completions HTTP/1.1",
        "host: localhost",
        f"authorization: Bearer {KEYS['ada']}",
        "content-type: application/json",
        f"content-length: {len(content)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + content


@pytest.mark.parametrize(("key", "kind"), [("ada", "live"), ("bob", "cold")])
def test_with_a_key_a_conversation_goes_on_from_another_address(
    start_gateway: StartGateway, key: str, kind: str
) -> None:
    gateway = started(start_gateway, lambda _: text_answer("Hello"), max_live=4)
    messages = [{"role": "user", "content": "Hi"}]

    def chat(address: str, key: str) -> None:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
            answer = client.post(
                f"{gateway.url}/v1/chat/completions",
                json={"model": "claude-sonnet-4", "messages": messages},
                headers={"authorization": f"Bearer {KEYS[key]}"},
                timeout=60,
            )
        messages.append(answer.json()["choices"][0]["message"])
        messages.append({"role": "user", "content": "More"})

    chat("127.0.0.1", "ada")
    before = claude_code_health(gateway)["taken"][kind]
    chat("127.0.0.2", key)
    assert claude_code_health(gateway)["taken"][kind] == before + 1
