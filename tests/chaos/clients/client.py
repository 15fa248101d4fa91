"""One client: asks, perhaps goes away too early, and holds what it gets against what is right."""

import asyncio
import json
import random
from collections.abc import Collection
from typing import Any, Final

import httpx

from tests.chaos.report import Report, Wrong
from tests.chaos.upstream import ENDS, FAULTS, said

TOOL: Final = {
    "type": "function",
    "function": {
        "name": "look",
        "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    },
}
KEYS: Final = {"message", "type", "param", "code"}
MODEL: Final = "claude-sonnet-4"
PATIENCE: Final = 150
"""Seconds. More than the gateway's own limit for a whole answer."""
LONGEST_PAUSE: Final = 2.0
"""Of a client that is told to come back later; it may be told a minute."""


class Client:
    """Has one conversation after the other.

    `faults` is how likely the upstream is to fail, `leaves` the client. `ends` are the errors, by status
    and code, that a request may end in besides that of its own fault.
    """

    def __init__(
        self,
        url: str,
        report: Report,
        dice: random.Random,
        *,
        faults: float = 0,
        leaves: float = 0,
        ends: Collection[str] = (),
        wishes: Collection[str] = FAULTS,
    ) -> None:
        self._url = url
        self._report = report
        self._dice = dice
        self._faults = faults
        self._wishes = tuple(wishes)
        self._leaves = leaves
        self._ends = ends
        self._pause = 0.0

    async def converse(self, http: httpx.AsyncClient) -> None:
        """Up to three questions that follow each other; the first failure ends it."""
        messages: list[dict[str, Any]] = []
        for _ in range(self._dice.randint(1, 3)):
            wish = self._wish()
            secret = new_secret(self._dice)
            messages.append({"role": "user", "content": f"secret-{secret} wish-{wish}"})
            tools = {"tools": [TOOL]} if wish == "tool" else {}
            message = await self.ask(http, messages, secret, wish, **tools)
            if message is not None and message.get("tool_calls"):
                [call] = message["tool_calls"]
                result = f"secret-{secret} wish-none"
                messages += [
                    message,
                    {"role": "tool", "tool_call_id": call["id"], "content": result},
                ]
                message = await self.ask(http, messages, secret, wish, **tools)
            if message is None:
                await asyncio.sleep(self._pause)
                return
            messages.append(message)

    def _wish(self) -> str:
        if self._dice.random() < self._faults:
            return self._dice.choice(self._wishes)
        return self._dice.choice(["none", "none", "none", "tool"])

    async def ask(
        self,
        http: httpx.AsyncClient,
        messages: list[dict[str, Any]],
        secret: str,
        wish: str = "none",
        **fields: Any,
    ) -> dict[str, Any] | None:
        """The assistant's message, or None if there is none. Never raises."""
        body = {"model": MODEL, "messages": messages, **fields}
        streamed = self._dice.random() < 0.5
        leaves = self._dice.random() < self._leaves
        self._report.asked += 1
        self._pause = 0
        with self._report.timed():
            try:
                if leaves:
                    await self._leave(http, {**body, "stream": streamed})
                    self._report.outcomes["left"] += 1
                    return None
                ask = self._stream if streamed else self._whole
                return await ask(http, body, secret, wish)
            except (Wrong, httpx.HTTPError, ValueError, KeyError) as error:
                self._report.wrong.append(f"{type(error).__name__} {error}: {messages[-1]}")
                return None

    async def _leave(self, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
        after = self._dice.choice([0.02, 0.1, 0.3, 0.5, 1])
        try:
            async with http.stream("POST", self._url, json=body, timeout=after) as answer:
                async for _ in answer.aiter_bytes():
                    return
        except httpx.TimeoutException:
            return

    async def _whole(
        self, http: httpx.AsyncClient, body: dict[str, Any], secret: str, wish: str
    ) -> dict[str, Any] | None:
        answer = await http.post(self._url, json=body, timeout=PATIENCE)
        if answer.status_code != httpx.codes.OK:
            return self._failed(answer, answer.json(), wish)
        message: dict[str, Any] = answer.json()["choices"][0]["message"]
        return self._right(message.get("content"), message.get("tool_calls"), secret, wish)

    async def _stream(
        self, http: httpx.AsyncClient, body: dict[str, Any], secret: str, wish: str
    ) -> dict[str, Any] | None:
        text, calls, done = "", [], False
        body = {**body, "stream": True}
        async with http.stream("POST", self._url, json=body, timeout=PATIENCE) as answer:
            if answer.status_code != httpx.codes.OK:
                return self._failed(answer, json.loads(await answer.aread()), wish)
            async for line in answer.aiter_lines():
                if line == "data: [DONE]":
                    done = True
                elif line.startswith("data: "):
                    chunk = json.loads(line[6:])
                    if "error" in chunk:
                        return self._failed(None, chunk, wish)
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
        return self._right(text, merged, secret, wish)

    def _failed(self, answer: httpx.Response | None, body: dict[str, Any], wish: str) -> None:
        """An error has to be well-formed, and the one that the fault leads to.

        In a stream that has begun it has no status of its own.
        """
        ends = ENDS[wish] | frozenset(self._ends)
        error = body["error"]
        if set(error) != KEYS or not error["message"]:
            raise Wrong(f"an error of another form: {body}")
        code = error["code"] or error["type"]
        if answer is not None:
            self._pause = min(float(answer.headers.get("retry-after", 0)), LONGEST_PAUSE)
            end = f"{answer.status_code} {code}"
        else:
            end = next((end for end in ends if end.endswith(f" {code}")), f"200 {code}")
        if end not in ends:
            raise Wrong(f"{end} where {sorted(ends) or 'an answer'} was due: {error['message']}")
        self._report.outcomes[end] += 1

    def _right(self, text: str | None, calls: Any, secret: str, wish: str) -> dict[str, Any]:
        if ENDS[wish]:
            raise Wrong(f"an answer, where {sorted(ENDS[wish])} was due")
        if calls:
            if json.loads(calls[0]["function"]["arguments"]) != {"at": f"secret-{secret}"}:
                raise Wrong(f"a call of another: {calls}")
            self._report.outcomes["call"] += 1
            return {"role": "assistant", "content": text or None, "tool_calls": calls}
        if text != said(secret):
            raise Wrong(f"not what was asked for: {text!r}")
        self._report.outcomes["answer"] += 1
        return {"role": "assistant", "content": text}


def new_secret(dice: random.Random) -> str:
    """What only this request's answer may say."""
    return f"{dice.getrandbits(48):012x}"
