"""One client: asks, perhaps goes away too early, and holds what it gets against what is right."""

import json
import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.chaos.upstream import FAULTS, said

TOOL: Final = {
    "type": "function",
    "function": {
        "name": "look",
        "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    },
}
KEYS: Final = {"message", "type", "param", "code"}
STATUSES: Final = {400, 401, 403, 404, 429, 500, 502, 503, 504}
PATIENCE: Final = 45
"""Seconds. More than the gateway's own limits for a whole answer, its queue and its start together."""


@dataclass
class Report:
    """What became of all requests."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0
    asked: int = 0


class Wrong(Exception):
    """Neither the right answer nor a well-formed error."""


class Client:
    """Has one conversation after the other. `faults` is how likely the upstream is to fail."""

    def __init__(self, url: str, report: Report, faults: float, leaves: float = 0.1) -> None:
        self._url = url
        self._report = report
        self._faults = faults
        self._leaves = leaves

    async def converse(self, http: httpx.AsyncClient) -> None:
        """Up to three questions that follow each other; the first failure ends it."""
        messages: list[dict[str, Any]] = []
        for _ in range(random.randint(1, 3)):
            secret = secrets.token_hex(4)
            wish = self._wish()
            messages.append({"role": "user", "content": f"secret-{secret} wish-{wish}"})
            tools = {"tools": [TOOL]} if wish == "tool" else {}
            message = await self._ask(http, messages, secret, **tools)
            if message is not None and message.get("tool_calls"):
                [call] = message["tool_calls"]
                result = f"secret-{secret} wish-none"
                messages += [
                    message,
                    {"role": "tool", "tool_call_id": call["id"], "content": result},
                ]
                message = await self._ask(http, messages, secret, **tools)
            if message is None:
                return
            messages.append(message)

    def _wish(self) -> str:
        if random.random() < self._faults:
            return random.choice(FAULTS)
        return random.choice(["none", "none", "none", "tool"])

    async def _ask(
        self, http: httpx.AsyncClient, messages: list[dict[str, Any]], secret: str, **fields: Any
    ) -> dict[str, Any] | None:
        """The assistant's message, or None if there is none. Never raises."""
        body = {"model": "claude-sonnet-4", "messages": messages, **fields}
        streamed = random.random() < 0.5
        leaves = random.random() < self._leaves
        began = time.monotonic()
        self._report.asked += 1
        try:
            if leaves:
                await self._leave(http, {**body, "stream": streamed})
                self._report.outcomes["left"] += 1
                return None
            ask = self._stream if streamed else self._whole
            message = await ask(http, body, secret)
        except (Wrong, httpx.HTTPError, ValueError, KeyError) as error:
            self._report.wrong.append(f"{type(error).__name__} {error}: {messages[-1]}")
            return None
        finally:
            self._report.longest = max(self._report.longest, time.monotonic() - began)
        return message

    async def _leave(self, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
        after = random.choice([0.02, 0.1, 0.3, 0.5])
        try:
            async with http.stream("POST", self._url, json=body, timeout=after) as answer:
                async for _ in answer.aiter_bytes():
                    return
        except httpx.TimeoutException:
            return

    async def _whole(
        self, http: httpx.AsyncClient, body: dict[str, Any], secret: str
    ) -> dict[str, Any] | None:
        answer = await http.post(self._url, json=body, timeout=PATIENCE)
        if answer.status_code != 200:
            return self._failed(answer.status_code, answer.json())
        message: dict[str, Any] = answer.json()["choices"][0]["message"]
        return self._right(message.get("content"), message.get("tool_calls"), secret)

    async def _stream(
        self, http: httpx.AsyncClient, body: dict[str, Any], secret: str
    ) -> dict[str, Any] | None:
        text, calls, done = "", [], False
        body = {**body, "stream": True}
        async with http.stream("POST", self._url, json=body, timeout=PATIENCE) as answer:
            if answer.status_code != 200:
                return self._failed(answer.status_code, json.loads(await answer.aread()))
            async for line in answer.aiter_lines():
                if line == "data: [DONE]":
                    done = True
                elif line.startswith("data: "):
                    chunk = json.loads(line[6:])
                    if "error" in chunk:
                        return self._failed(0, chunk)
                    for choice in chunk["choices"]:
                        text += choice["delta"].get("content") or ""
                        calls += choice["delta"].get("tool_calls") or []
        if not done:
            raise Wrong("a stream that ended without a word")
        merged = None
        if calls:
            first, *rest = calls
            first["function"]["arguments"] += "".join(c["function"]["arguments"] for c in rest)
            merged = [{key: value for key, value in first.items() if key != "index"}]
        return self._right(text, merged, secret)

    def _failed(self, status: int, body: dict[str, Any]) -> None:
        error = body["error"]
        if set(error) != KEYS or not error["message"]:
            raise Wrong(f"an error of another form: {body}")
        if status and status not in STATUSES:
            raise Wrong(f"status {status}: {body}")
        self._report.outcomes[f"error {status or 'in the stream'}"] += 1

    def _right(self, text: str | None, calls: Any, secret: str) -> dict[str, Any]:
        if calls:
            if json.loads(calls[0]["function"]["arguments"]) != {"at": f"secret-{secret}"}:
                raise Wrong(f"a call of another: {calls}")
            self._report.outcomes["call"] += 1
            return {"role": "assistant", "content": text or None, "tool_calls": calls}
        if text != said(secret):
            raise Wrong(f"not what was asked for: {text!r}")
        self._report.outcomes["answer"] += 1
        return {"role": "assistant", "content": text}
