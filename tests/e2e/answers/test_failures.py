"""Every way to fail, over the real CLI: the right status, soon, and nothing left running."""

import json
import os
import signal
import socket
import time
from pathlib import Path

import httpx
import openai
import pytest

from gateway_claude_code.upstream import (
    Answer,
    Cut,
    Failure,
    Gate,
    Script,
    Silence,
    StreamError,
    TextBlock,
)
from tests.cells import in_turn, on_demand
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

CHAT = {"model": "claude-sonnet-4", "messages": [{"role": "user", "content": "Hello"}]}
LONG_ANSWER = Answer(blocks=(TextBlock("one two three four", pieces=("one", " two", " three")),))


def ask(gateway: RunningGateway, **fields: object) -> httpx.Response:
    return httpx.post(f"{gateway.url}/v1/chat/completions", json={**CHAT, **fields}, timeout=30)


def failure(status: int, kind: str, message: str) -> Script:
    return lambda _: Failure(status, kind, message)


@pytest.mark.parametrize(
    ("upstream_status", "kind", "message", "status", "code", "stream"),
    in_turn(
        [
            (429, "rate_limit_error", "slow down", 429, "upstream_rate_limited"),
            (529, "overloaded_error", "Overloaded", 503, "overloaded"),
            (500, "api_error", "oops", 502, "backend_error"),
            (401, "authentication_error", "invalid x-api-key", 401, "authentication_error"),
            (403, "permission_error", "not yours", 403, "permission_denied"),
            (404, "not_found_error", "model: nope", 404, "model_not_found"),
            (400, "invalid_request_error", "temperature: bad", 400, None),
            (
                400,
                "invalid_request_error",
                "prompt is too long: 210000 tokens > 200000 maximum",
                400,
                "context_length_exceeded",
            ),
        ],
        [False, True],
        names=["slow down", "overloaded", "oops", "login", "forbidden", "model", "field", "long"],
        each_time=["slow down", "overloaded", "login", "long"],
    ),
)
def test_upstream_failures(
    gateway: RunningGateway,
    stream: bool,
    upstream_status: int,
    kind: str,
    message: str,
    status: int,
    code: str | None,
) -> None:
    gateway.upstream.script = failure(upstream_status, kind, message)
    began = time.monotonic()
    response = ask(gateway, stream=stream)
    assert time.monotonic() - began < 15
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert gateway.wait_until_idle() == []


def test_the_sdk_raises_its_own_exceptions(gateway: RunningGateway) -> None:
    gateway.upstream.script = failure(429, "rate_limit_error", "slow down")
    with pytest.raises(openai.RateLimitError) as caught:
        gateway.client.chat.completions.create(**CHAT)
    assert int(caught.value.response.headers["retry-after"]) >= 1


def test_the_cli_is_missing(start_gateway: StartGateway) -> None:
    gateway = start_gateway(environment={"DRAGOMAN_CLAUDE_COMMAND": "/nowhere/claude"})
    response = ask(gateway)
    assert response.status_code == 503
    assert "/nowhere/claude" in response.json()["error"]["message"]
    assert httpx.get(f"{gateway.url}/health").json()["status"] == "degraded"


@pytest.mark.parametrize("stream", [on_demand(False), True])
def test_not_logged_in(start_gateway: StartGateway, stream: bool) -> None:
    gateway = start_gateway(environment={"ANTHROPIC_API_KEY": ""})
    response = ask(gateway, stream=stream)
    assert response.status_code == 401
    message = response.json()["error"]["message"]
    assert message.startswith("The Claude Code CLI is not logged in: run `")
    assert "dragoman login` " in message
    assert gateway.upstream.requests == []
    assert gateway.wait_until_idle() == []


def test_a_login_in_the_settings_file_is_let_in_by_the_option(start_gateway: StartGateway) -> None:
    gateway = start_gateway(
        config={"plugins": {"claude_code": {"use_cli_settings_auth": True}}},
        environment={"ANTHROPIC_API_KEY": ""},
    )
    folder = gateway.home / ".claude"
    folder.mkdir(exist_ok=True)
    settings = {"env": {"ANTHROPIC_API_KEY": "from-settings"}, "model": "opus"}
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    assert ask(gateway).status_code == 200
    assert gateway.upstream.requests[0].headers["x-api-key"] == "from-settings"


def test_silent_for_too_long(start_gateway: StartGateway) -> None:
    gateway = start_gateway(
        config={"limits": {"idle_seconds": 2}}, script=lambda _: Silence(None, 0)
    )
    response = ask(gateway)
    assert response.status_code == 504
    assert "limits.idle_seconds" in response.json()["error"]["message"]
    assert gateway.wait_until_idle() == []


@pytest.mark.parametrize(
    "reply",
    [Cut(LONG_ANSWER, 3), StreamError(LONG_ANSWER, 3, "overloaded_error", "Overloaded")],
    ids=["cut", "error event"],
)
def test_the_upstream_breaks_off_in_mid_stream(gateway: RunningGateway, reply: object) -> None:
    gateway.upstream.script = lambda _: reply
    response = ask(gateway, stream=True)
    events = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    assert "error" in json.loads(events[-1])
    assert "[DONE]" not in response.text
    assert gateway.wait_until_idle() == []


def test_the_cli_is_killed_in_mid_stream(gateway: RunningGateway) -> None:
    gate = Gate()
    gateway.upstream.script = lambda _: Answer(
        blocks=(TextBlock("one two", pieces=("one", " two")),), gates={3: gate}
    )
    stream = gateway.client.chat.completions.create(**CHAT, stream=True)
    while not next(stream).choices[0].delta.content:
        pass
    for pid in gateway.processes():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(openai.APIError, match="killed"):
        list(stream)
    gate.open()
    assert gateway.wait_until_idle() == []


def test_garbage_from_the_cli(start_gateway: StartGateway, tmp_path: Path) -> None:
    script = tmp_path / "claude"
    # only the question about a chat gets garbage; those about the CLI itself end at once
    script.write_text(
        "#!/bin/sh\n[ \"$1\" = --print ] || exit 0\necho 'not json at all'\nexec sleep 60\n",
        encoding="utf-8",
    )
    script.chmod(0o755)
    gateway = start_gateway(environment={"DRAGOMAN_CLAUDE_COMMAND": str(script)})
    response = ask(gateway)
    assert response.status_code == 502
    assert response.json()["error"]["type"] == "server_error"
    assert gateway.wait_until_idle() == []


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_disconnects_ends_its_process(gateway: RunningGateway, stream: bool) -> None:
    gateway.upstream.script = lambda _: Silence(LONG_ANSWER, 3)
    host, port = gateway.url.removeprefix("http://").split(":")
    body = json.dumps({**CHAT, "stream": stream}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        end = time.monotonic() + 10
        while not gateway.upstream.requests and time.monotonic() < end:
            time.sleep(0.02)
        assert len(gateway.processes()) == 1
    assert gateway.wait_until_idle(3) == []
