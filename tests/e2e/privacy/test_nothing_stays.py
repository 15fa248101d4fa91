"""Nothing of a conversation stays on disk, and nothing of the user's name goes upstream."""

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_claude_code.upstream import (
    Answer,
    Failure,
    MessagesRequest,
    Reply,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    in_order,
    text_answer,
)
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

MARK = "zqxmark"
"""Every text of these conversations has it, and no other text does."""
NAME = "janeqdoe"
WAITING = {"max_spares": 0, "max_live": 4, "keep_alive": 1.5}


def said(what: str) -> str:
    return f"{MARK}-{what}"


def tool(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {said("field"): {"type": "string"}}}
    described = {"name": name, "description": said("description"), "parameters": parameters}
    return {"type": "function", "function": described}


TOOL = f"{MARK}_tool"
CALL = ToolUseBlock(f"mcp__t__{TOOL}", {said("field"): said("argument")}, id="toolu_one")
USER = {"role": "user", "content": said("user")}
SYSTEM = {"role": "system", "content": said("system")}
CALLED = {
    "role": "assistant",
    "tool_calls": [
        {
            "id": "toolu_one",
            "type": "function",
            "function": {"name": TOOL, "arguments": json.dumps({said("field"): said("argument")})},
        }
    ],
}
RESULT = {"role": "tool", "tool_call_id": "toolu_one", "content": f"Error: {said('result')}"}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": f"{MARK}_answer",
        "schema": {"type": "object", "properties": {said("key"): {"type": "string"}}},
    },
}

ANSWER = text_answer(said("answer"))
TURNS: dict[str, tuple[tuple[Reply, ...], tuple[dict[str, Any], ...]]] = {
    "a text": ((ANSWER,), ({"messages": [SYSTEM, USER]},)),
    "thinking": (
        (Answer(blocks=(ThinkingBlock(said("thought")), TextBlock(said("answer")))),),
        ({"messages": [USER], "reasoning_effort": "high"},),
    ),
    "a history": (
        (ANSWER,),
        ({"messages": [USER, {"role": "assistant", "content": said("earlier")}, USER]},),
    ),
    "a call and its result, in one process": (
        (Answer(blocks=(CALL,)), ANSWER),
        (
            {"messages": [USER], "tools": [tool(TOOL)]},
            {"messages": [USER, CALLED, RESULT], "tools": [tool(TOOL)]},
        ),
    ),
    "a result for a new process": (
        (ANSWER,),
        ({"messages": [USER, CALLED, RESULT], "tools": [tool(TOOL)]},),
    ),
    "a call without a result": (
        (ANSWER,),
        ({"messages": [USER, CALLED, USER], "tools": [tool(TOOL)]},),
    ),
    "a call of an unknown tool": (
        (Answer(blocks=(ToolUseBlock(said("unknown"), {}),)), ANSWER),
        ({"messages": [USER], "tools": [tool(TOOL)]},),
    ),
    "a schema": (
        (text_answer(json.dumps({said("key"): said("value")})),),
        ({"messages": [USER], "response_format": SCHEMA},),
    ),
    "a refusal of the request": (
        (Failure(400, "invalid_request_error", said("refused")),) * 3,
        ({"messages": [USER], "tools": [tool(TOOL)]},),
    ),
    "an overload": (
        (Failure(529, "overloaded_error", said("overloaded")),) * 3,
        ({"messages": [USER]},),
    ),
    "an answer that is cut": (
        (Answer(blocks=(TextBlock(said("answer")),), stop_reason="max_tokens"),),
        ({"messages": [USER], "max_tokens": 5},),
    ),
}


def everything(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """What is in files, in names of files, and where links lead."""
    for path in folder.rglob("*"):
        try:
            if path.is_symlink():
                yield path, os.fsencode(path.readlink())
            yield path, path.read_bytes() if path.is_file() else b""
        except OSError:  # gone meanwhile
            continue


def marked(*folders: Path) -> list[str]:
    found = itertools.chain.from_iterable(map(everything, folders))
    mark = MARK.encode()
    return [str(path) for path, content in found if mark in content or MARK in path.name]


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def start(start_gateway: StartGateway, tmp_path: Path) -> tuple[RunningGateway, list[Path]]:
    """A gateway of a user whose name is in all of its folders."""
    home, temporary = tmp_path / NAME, tmp_path / f"{NAME}-tmp"
    home.mkdir()
    temporary.mkdir()
    environment = {"HOME": str(home), "TMPDIR": str(temporary), "USER": NAME, "LOGNAME": NAME}
    config = {"plugins": {"claude_code": WAITING}}
    return start_gateway(config, environment), [home, temporary, tmp_path / "gateway"]


def ask(gateway: RunningGateway, **body: object) -> httpx.Response:
    body = {"model": "claude-sonnet-4", **body}
    return httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=30)


def test_after_every_kind_of_turn_no_file_has_anything_of_it(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway, folders = start(start_gateway, tmp_path)
    upstream: list[MessagesRequest] = []
    for name, (replies, bodies) in TURNS.items():
        gateway.upstream.script = in_order(*replies)
        for body in bodies:
            answer = ask(gateway, **body)
            assert answer.status_code in (200, 400, 503), (name, answer.text)
        upstream += gateway.upstream.requests
    assert MARK in str([request.body for request in upstream])
    assert NAME not in str([request.body for request in upstream])
    assert NAME not in str([dict(request.headers) for request in upstream])
    assert gateway.wait_until_idle(15) == []
    until(lambda: not marked(*folders))
    logs = [path for path in folders[0].rglob("*.jsonl") if "claude-cli-nodejs" in path.parts]
    assert logs == []


def test_while_a_process_lives_the_log_of_its_tools_has_no_text(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    """What the CLI keeps in it until its end: names and times. The end takes it away."""
    gateway, folders = start(start_gateway, tmp_path)
    replies, bodies = TURNS["a call and its result, in one process"]
    gateway.upstream.script = in_order(*replies)
    for body in bodies:
        assert ask(gateway, **body).status_code == 200
    texts = [content.decode() for _, content in everything(folders[0])]
    for what in ("user", "system", "answer", "argument", "result", "description"):
        assert not any(said(what) in text for text in texts), what
    assert gateway.wait_until_idle(15) == []
    until(lambda: not marked(*folders))


def test_a_cli_that_is_ended_as_it_starts_leaves_no_folder(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway, [_, temporary, _] = start(start_gateway, tmp_path)
    probes = temporary / f"claude-{os.getuid()}"
    probes.mkdir(exist_ok=True)
    (probes / "fswatch-probe-abc123").mkdir()
    (probes / "fswatch-probe-abc124").mkdir()
    (probes / "fswatch-probe-abc124" / "probe").touch()
    hour_ago = time.time() - 3600
    for path in probes.iterdir():
        os.utime(path, (hour_ago, hour_ago))
    gateway.upstream.script = lambda _: ANSWER
    assert ask(gateway, messages=[USER]).status_code == 200
    assert gateway.wait_until_idle(15) == []
    until(lambda: not list(probes.glob("fswatch-probe-abc*")))
