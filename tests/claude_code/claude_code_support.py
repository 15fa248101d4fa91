"""A CLI that is a script of faults, and short ways to say what the tests are about."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.context import RequestContext
from gateway.types import ChatRequest, Message, PartDelta, StreamEvent, Target, Text
from gateway_claude_code.backend import ClaudeCodeBackend
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.environment import CliEnvironment

PRELUDE = """\
import json, os, signal, sys, time
open({pid_file!r}, "w").write(str(os.getpid()))
got = open({input_file!r}, "w")
def say(*lines):
    for line in lines:
        print(json.dumps(line), flush=True)
warm = []
def hear():
    raw = sys.stdin.readline()
    line = json.loads(raw) if raw else sys.exit(0)
    if line.get("request") == dict(subtype="apply_flag_settings", settings=dict()):
        warm.append(say(applied(line)))
        return hear()
    if line.get("request") == dict(subtype="mcp_status"):
        say(applied(line))
        return hear()
    got.write(raw)
    got.flush()
    return line
def applied(line):
    return dict(type="control_response", response=dict(subtype="success",
                request_id=line["request_id"], response=dict()))
def set_up():
    for _ in range(2):
        say(applied(hear()))
def event(kind, **fields):
    return dict(type="stream_event", event=dict(type=kind, **fields))
def begin():
    say(event("message_start", message=dict(model="claude-test", usage=dict(input_tokens=3))),
        event("content_block_start", index=0, content_block=dict(type="text", text="")))
def text(words):
    say(event("content_block_delta", index=0, delta=dict(type="text_delta", text=words)))
def end(reason="end_turn"):
    say(event("content_block_stop", index=0),
        event("message_delta", delta=dict(stop_reason=reason), usage=dict(output_tokens=2)))
def hold():
    while True:
        time.sleep(60)
"""

ANSWER = "set_up(); hear(); begin(); text('Hi'); end()"


@dataclass(frozen=True)
class FakeCli:
    """An executable that plays `play`, and what it left behind."""

    path: Path
    pid_file: Path
    input_file: Path

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.input_file.read_text().splitlines()]


MakeCli = Callable[[str], FakeCli]
Environ = dict[str, str]


def a_request(*texts: str, **fields: Any) -> ChatRequest:
    """A request of alternating turns, the first of them the user's."""
    roles = ("user", "assistant")
    messages = tuple(
        Message(role=roles[number % 2], parts=(Text(text=text),))
        for number, text in enumerate(texts or ("Hi",))
    )
    return ChatRequest(**{"model": "m", "messages": messages, **fields})


TARGET = Target(model="m", backend="claude-code", name="claude-test")


def backend_for(cli: FakeCli, environ: Mapping[str, str], **config: Any) -> ClaudeCodeBackend:
    """A process for each request, and none beside it, unless `config` says otherwise."""
    alone = {"max_spares": 0, "max_live": 0}
    values = {"command": cli.path, "close_seconds": 5, **alone, **config}
    return ClaudeCodeBackend(
        ClaudeCodeConfig(**values), CliEnvironment(environ=environ, overrides={})
    )


async def events_of(
    backend: ClaudeCodeBackend, request: ChatRequest, target: Target = TARGET
) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    failure: Exception | None = None
    async with backend.running():
        try:
            async for event in backend.answer(request, target, RequestContext(request_id="r-1")):
                events.append(event)  # noqa: PERF401 - what came before the error counts
        except Exception as error:  # noqa: BLE001 - the task group would wrap it
            failure = error
    if failure is not None:
        raise failure
    return events


async def until_failure(
    backend: ClaudeCodeBackend, request: ChatRequest, error: type[Exception]
) -> tuple[list[StreamEvent], Any]:
    """The events before the failure, and the failure."""
    seen: list[StreamEvent] = []
    async with backend.running():
        try:
            async for event in backend.answer(request, TARGET, RequestContext(request_id="r-1")):
                seen.append(event)  # noqa: PERF401 - what came before the error counts
        except error as caught:
            return seen, caught
    pytest.fail(f"there was no {error.__name__}")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def answered(backend: ClaudeCodeBackend, *texts: str) -> str:
    context = RequestContext(request_id="r-1")
    answer = backend.answer(a_request(*texts), TARGET, context)
    return "".join([event.text async for event in answer if isinstance(event, PartDelta)])
