"""Those who answer: over HTTP, and by a process for each request."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bench.cases import Body
from gateway.types import Client, PartDelta, PartStart, Target, ToolCall
from gateway_claude_code.channel.mcp_bridge import bridge_of
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.turn_plan import reader_of
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.process.launch import Launch, launch_for
from gateway_claude_code.request.history import turns
from gateway_claude_code.request.prepare import prepare
from gateway_openai.decode.chat import decode, parse

TARGET: Final = "sonnet"
SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """When a request was sent and its first token came (`time.monotonic()`), and the answer."""

    sent: float
    first: float
    message: Body


def ask_http(url: str, body: Body) -> Asked:
    """Ask whoever speaks OpenAI's chat completions there, on a new connection."""
    payload = json.dumps(body).encode()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    try:
        sent = time.monotonic()
        connection.request(
            "POST", "/v1/chat/completions", payload, {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.read(500)!r}")
        return _read(sent, answer)
    finally:
        connection.close()


def _read(sent: float, answer: http.client.HTTPResponse) -> Asked:
    first = 0.0
    text = ""
    calls: dict[int, Body] = {}
    for line in answer:
        if not line.startswith(b"data: {"):
            continue
        chunk = json.loads(line[6:])
        if "error" in chunk:
            raise RuntimeError(f"an error in the stream: {chunk['error']}")
        for choice in chunk["choices"]:
            delta = choice["delta"]
            if (delta.get("content") or delta.get("tool_calls")) and not first:
                first = time.monotonic()
            text += delta.get("content") or ""
            for call in delta.get("tool_calls") or ():
                known = calls.setdefault(call["index"], call)
                if known is not call:
                    known["function"]["arguments"] += call["function"]["arguments"]
    if not first:
        raise RuntimeError("an answer without a token")
    message: Body = {"role": "assistant", "content": text or None}
    return Asked(sent, first, {**message, "tool_calls": list(calls.values())} if calls else message)


def launch_in(env: dict[str, str]) -> Launch:
    """The process that the gateway would start."""
    return launch_for(ClaudeCodeConfig(), CliEnvironment(environ=env, overrides={}), TARGET)


async def ask_spawned(launch: Launch, body: Body) -> Asked:
    """Start a process for this request, with the backend's own means, but no pool and no HTTP."""
    request = decode(parse(body), Client()).requests[0]
    prepared = prepare(request, Target(model=body["model"], backend="claude-code", name=TARGET))
    history = turns(prepared.request.messages, prepared.names)
    settings = prepared.settings(seeded=True)
    sent, first = time.monotonic(), 0.0
    conversation = Conversation(await launch.start(1), SECONDS)
    try:
        await conversation.set_up(request.system, bridge_of(prepared), settings, None)
        await conversation.add_history(history[:-1])
        async for event in conversation.ask(history[-1], reader_of(prepared)):
            token = isinstance(event, PartDelta) or (
                isinstance(event, PartStart) and isinstance(event.part, ToolCall)
            )
            if token and not first:
                first = time.monotonic()
    finally:
        await conversation.close()
    return Asked(sent, first, {})
