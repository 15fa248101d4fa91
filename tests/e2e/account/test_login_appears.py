"""A login that appears while the gateway runs: the real CLI, and made-up credentials."""

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from gateway_claude_code.upstream import in_order, text_answer
from tests.cells import on_demand
from tests.e2e.bodies import chat, post
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

UNTIL_LOGIN: Final = ("--offline-until-login",)
OFFLINE_HEADER: Final = "x-dragoman-offline"
SPARES: Final = {"plugins": {"claude_code": {"max_processes": 4}}}
TOOL: Final = {
    "type": "function",
    "function": {"name": "add", "parameters": {"type": "object", "properties": {}}},
}


def start(start_gateway: StartGateway, folder: Path, **options: Any) -> RunningGateway:
    """A gateway without a login, whose model's API would be one on loopback."""
    temporary = folder / "tmp"
    temporary.mkdir()
    return start_gateway(
        environment={"ANTHROPIC_API_KEY": "", "TMPDIR": str(temporary)},
        script=in_order(text_answer("from the API")),
        **options,
    )


def log_in(gateway: RunningGateway) -> None:
    """What `claude auth login` leaves behind on Linux (2.1.330), with a made-up token."""
    login = {
        "accessToken": "sk-ant-oat01-made-up",
        "refreshToken": "sk-ant-ort01-made-up",
        "expiresAt": int(time.time() * 1000) + 86_400_000,
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
    folder = gateway.home / ".claude"
    folder.mkdir(exist_ok=True)
    (folder / ".credentials.json").write_text(json.dumps({"claudeAiOauth": login}))


def health(gateway: RunningGateway) -> dict[str, Any]:
    report = httpx.get(f"{gateway.url}/health", timeout=30).json()
    keys = ("logged_in", "login", "stand_in", "waiting_for_login")
    return {"offline": report["offline"], **{key: report["claude_code"].get(key) for key in keys}}


WAITING: Final = {
    "offline": True,
    "logged_in": None,
    "login": None,
    "stand_in": True,
    "waiting_for_login": True,
}
GONE_OVER: Final = {
    "offline": False,
    "logged_in": True,
    "login": "claude.ai",
    "stand_in": None,
    "waiting_for_login": None,
}


def wait_for(gateway: RunningGateway, expected: Mapping[str, object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while (found := health(gateway)) != expected:
        assert time.monotonic() < end, found
        time.sleep(0.05)


def test_without_a_request_it_is_noticed_within_15_seconds(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start(start_gateway, tmp_path, options=UNTIL_LOGIN)
    wait_for(gateway, WAITING, 10)
    log_in(gateway)
    wait_for(gateway, GONE_OVER, 15)
    log = (gateway.home.parent / "gateway.log").read_text()
    assert log.count("until then, answers come from a built-in stand-in, not from a model") == 1
    assert log.count("logged in (claude.ai): the model answers from now on") == 1
    end = time.monotonic() + 5
    while any((tmp_path / "tmp").glob("dragoman-*")):  # the stand-in's folder
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("stream", [on_demand(False), True])
def test_each_answer_of_the_stand_in_says_so(
    start_gateway: StartGateway, tmp_path: Path, stream: bool
) -> None:
    gateway = start(start_gateway, tmp_path, options=UNTIL_LOGIN)
    text = chat(gateway, stream=stream)
    call = chat(
        gateway, stream=stream, messages=[{"role": "user", "content": "call add"}], tools=[TOOL]
    )
    data = chat(gateway, stream=stream, response_format={"type": "json_object"})
    for reply in (text, call, data):
        assert reply.headers[OFFLINE_HEADER] == "true"
        assert "no model was asked" in reply.choice.content
        assert "dragoman login`" in reply.choice.content
    assert [called["name"] for called in call.choice.tool_calls] == ["add"]
    assert isinstance(json.loads(data.choice.content), dict)
    assert gateway.upstream.requests == []


def test_the_first_request_after_the_login_is_the_models(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start(start_gateway, tmp_path, options=UNTIL_LOGIN)
    assert OFFLINE_HEADER in chat(gateway).headers
    log_in(gateway)
    time.sleep(1)  # an answer about the login counts for a second
    reply = chat(gateway)
    assert reply.choice.content == "from the API"
    assert OFFLINE_HEADER not in reply.headers
    assert gateway.upstream.requests[-1].headers["authorization"] == "Bearer sk-ant-oat01-made-up"
    wait_for(gateway, GONE_OVER, 5)


def test_an_answer_that_runs_meanwhile_ends_well(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start(start_gateway, tmp_path, options=UNTIL_LOGIN)
    assert gateway.wait_until_idle(10) == []
    body = {
        "model": "claude-sonnet-4",
        "stream": True,
        "messages": [{"role": "user", "content": "Hello " * 100}],
    }
    url = f"{gateway.url}/v1/chat/completions"
    with httpx.stream("POST", url, json=body, timeout=30) as response:
        assert response.headers[OFFLINE_HEADER] == "true"
        lines = (line for line in response.iter_lines() if line)
        got = [next(lines)]
        with stopped(conversations(gateway)):
            log_in(gateway)
            wait_for(gateway, GONE_OVER, 15)
            assert chat(gateway).choice.content == "from the API"
        got += list(lines)
    assert got[-1] == "data: [DONE]"
    pieces = [json.loads(line.removeprefix("data: "))["choices"] for line in got[:-1]]
    text = "".join(piece[0]["delta"].get("content") or "" for piece in pieces if piece)
    assert text.rstrip().endswith("Hello Hello")
    assert pieces[-1][0]["finish_reason"] == "stop"
    assert gateway.wait_until_idle(5) == []


def conversations(gateway: RunningGateway) -> list[int]:
    """The processes that answer requests, and none that was asked for its login."""
    return [pid for pid in gateway.processes() if b"--print" in arguments(pid)]


def arguments(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:  # it is gone
        return []


@contextmanager
def stopped(processes: list[int]) -> Iterator[None]:
    """Meanwhile these processes do not get on."""
    assert processes
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


def test_with_a_login_the_stand_in_never_answers(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start_gateway(script=in_order(text_answer("from the API")), options=UNTIL_LOGIN)
    assert chat(gateway).choice.content == "from the API"
    assert health(gateway)["offline"] is False


def test_offline_stays_offline(start_gateway: StartGateway, tmp_path: Path) -> None:
    gateway = start(start_gateway, tmp_path, options=("--offline", *UNTIL_LOGIN))
    log_in(gateway)
    time.sleep(1)
    reply = chat(gateway)
    assert (reply.headers[OFFLINE_HEADER], gateway.upstream.requests) == ("true", [])
    assert "dragoman login" not in reply.choice.content
    wait_for(gateway, {**WAITING, "waiting_for_login": None}, 5)


def test_a_gateway_without_stand_in_works_after_the_login(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start(start_gateway, tmp_path, config=SPARES)
    assert [post(gateway).status for _ in range(2)] == [401, 401]
    log_in(gateway)
    assert [chat(gateway).choice.content for _ in range(2)] == ["from the API"] * 2
    wait_for(gateway, GONE_OVER, 15)
