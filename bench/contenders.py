"""Those who answer: over HTTP, by a process for each request, and over the pipe of a warm process."""

import http.client
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench.cases import PICTURE, Body
from gateway.types import Client, PartDelta, PartStart, Target, ToolCall
from gateway_claude_code.channel.mcp_bridge import bridge_of
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.turn_plan import reader_of
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.process.launch import Launch, launch_for
from gateway_claude_code.request.history import turns
from gateway_claude_code.request.prepare import prepare
from gateway_openai.config import OpenAIConfig
from gateway_openai.http.endpoints import chat_completions

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
    call, _ = chat_completions(body, Client(), OpenAIConfig())
    request = call.requests[0]
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


class Pipe:
    """A process that is told raw lines of JSON, and no more of them than there must be.

    This is the floor: what the CLI itself takes. It shares no code with the backend but for the
    command line.
    """

    def __init__(self, launch: Launch) -> None:
        self._process = subprocess.Popen(
            [str(launch.program), *launch.arguments], env=dict(launch.environment),
            cwd=Path(launch.folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._call: dict[str, Any] | None = None
        self._fresh = True

    def ask(self, body: Body) -> Asked:
        """The conversation's new part: all of it the first time, then the last message."""
        sent = time.monotonic()
        *before, last = body["messages"]
        if self._call is not None:
            result = {"content": [{"type": "text", "text": last["content"]}]}
            self._answer(self._call, result)
        else:
            if self._fresh:
                self._set_up(body, before)
            self._send({"type": "user", "message": {"role": "user", "content": _blocks(last)}})
        self._fresh, self._call = False, None
        return Asked(sent, self._first_token(), {})

    def _set_up(self, body: Body, before: list[Body]) -> None:
        servers = {"sdkMcpServers": ["t"]} if "tools" in body else {}
        request = {"subtype": "initialize", "systemPrompt": [""], **servers}
        self._send({"type": "control_request", "request_id": "1", "request": request})
        self._tools = body.get("tools", [])
        for number, message in enumerate(before):
            turn = {"role": message["role"], "content": _blocks(message)}
            if turn["role"] == "user":
                self._send({"type": "user", "message": turn, "shouldQuery": False})
                self._until("result")
            else:
                turn = {"id": f"msg_{number}", "type": "message", **turn}
                self._send({"type": "assistant", "message": turn})

    def _first_token(self) -> float:
        first = 0.0
        while self._call is None:
            line = self._next()
            kind = line.get("event", {}).get("type"), line.get("type")
            if kind[0] in ("content_block_delta",) and not first:
                first = time.monotonic()
            if kind[1] == "result":
                if line.get("is_error"):
                    raise RuntimeError(f"the CLI failed: {line.get('result')}")
                break
        return first

    def _until(self, kind: str) -> None:
        while self._next().get("type") != kind:
            pass

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        raw = self._process.stdout.readline()
        if not raw:
            raise RuntimeError("the CLI has gone")
        line: dict[str, Any] = json.loads(raw)
        if line.get("type") == "control_request":
            self._mcp(line)
        return line

    def _mcp(self, line: dict[str, Any]) -> None:
        message = line["request"]["message"]
        match message["method"]:
            case "tools/call":
                self._call = line
                return
            case "initialize":
                version = message["params"]["protocolVersion"]
                info = {"name": "t", "version": "1"}
                result: Body = {"protocolVersion": version, "capabilities": {"tools": {}}}
                self._answer(line, {**result, "serverInfo": info})
            case "tools/list":
                functions = [tool["function"] for tool in self._tools]
                listed = [
                    {
                        "name": f["name"],
                        "description": f["description"],
                        "inputSchema": f["parameters"],
                    }
                    for f in functions
                ]
                self._answer(line, {"tools": listed})
            case _:
                self._answer(line, {})

    def _answer(self, line: dict[str, Any], result: Body) -> None:
        rpc = {"jsonrpc": "2.0", "id": line["request"]["message"].get("id"), "result": result}
        response = {
            "subtype": "success",
            "request_id": line["request_id"],
            "response": {"mcp_response": rpc},
        }
        self._send({"type": "control_response", "response": response})

    def _send(self, line: Body) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _blocks(message: Body) -> list[Body]:
    content = message["content"]
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    return [content[0], {"type": "image", "source": source}]
