"""Asking a running gateway, whole or streamed, and comparing what reached the upstream."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway_claude_code.upstream import MessagesRequest
from tests.e2e.gateways import RunningGateway

HI = [{"role": "user", "content": "Hi"}]
BY_NOTHING = ("metadata",)
"""Keys of a body that differ between any two requests."""


@dataclass(slots=True)
class Choice:
    """One choice of an answer, the same whether it was streamed or not.

    `order` names the kinds of what came, in the order of the stream's deltas.
    """

    content: str = ""
    reasoning: str = ""
    tool_calls: list[dict[str, str]] = field(default_factory=list)
    function_call: dict[str, str] | None = None
    finish_reason: str | None = None
    order: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: `choices` for a 200, `error` for all else."""

    status: int
    headers: Mapping[str, str]
    choices: list[Choice]
    error: dict[str, Any]

    @property
    def choice(self) -> Choice:
        (only,) = self.choices
        return only


def chat(gateway: RunningGateway, *, stream: bool = False, **fields: object) -> Reply:
    """Post a chat completion; fails unless the answer is a 200."""
    reply = post(gateway, stream=stream, **fields)
    assert reply.status == 200, reply.error
    return reply


def post(gateway: RunningGateway, *, stream: bool = False, **fields: object) -> Reply:
    """Post a chat completion, whatever comes of it."""
    body = {"model": "claude-sonnet-4", "messages": HI, "stream": stream, **fields}
    response = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=30)
    if response.status_code != 200:
        return Reply(response.status_code, response.headers, [], response.json()["error"])
    choices = _streamed(response.text) if stream else _whole(response.json())
    return Reply(200, response.headers, choices, {})


def _whole(completion: dict[str, Any]) -> list[Choice]:
    found = []
    for index, choice in enumerate(completion["choices"]):
        assert choice["index"] == index
        message = choice["message"]
        calls = [{"id": call["id"], **call["function"]} for call in message.get("tool_calls", ())]
        found.append(
            Choice(
                content=message["content"] or "",
                reasoning=message.get("reasoning_content", ""),
                tool_calls=calls,
                function_call=message.get("function_call"),
                finish_reason=choice["finish_reason"],
            )
        )
    return found


def _streamed(text: str) -> list[Choice]:
    *events, done = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    assert done == "[DONE]"
    choices: dict[int, Choice] = {}
    for event in events:
        for choice in json.loads(event)["choices"]:
            _add(choices.setdefault(choice["index"], Choice()), choice)
    return [choices[index] for index in range(len(choices))]


def _add(choice: Choice, chunk: dict[str, Any]) -> None:
    assert choice.finish_reason is None, "nothing comes after the finish reason"
    delta = chunk["delta"]
    choice.finish_reason = chunk["finish_reason"]
    choice.content += delta.get("content") or ""
    choice.reasoning += delta.get("reasoning_content") or ""
    for call in delta.get("tool_calls", ()):
        if "id" in call:
            assert call["index"] == len(choice.tool_calls)
            choice.tool_calls.append({"id": call["id"], "name": "", "arguments": ""})
        _extend(choice.tool_calls[call["index"]], call["function"])
    if "function_call" in delta:
        choice.function_call = choice.function_call or {"name": "", "arguments": ""}
        _extend(choice.function_call, delta["function_call"])
    choice.order += [kind for kind in delta if delta[kind] and kind != "role"]


def _extend(call: dict[str, str], function: dict[str, str]) -> None:
    call["name"] += function.get("name", "")
    call["arguments"] += function["arguments"]


def last_request(gateway: RunningGateway) -> MessagesRequest:
    """The upstream's latest request."""
    return gateway.upstream.requests[-1]


def comparable(request: MessagesRequest) -> dict[str, Any]:
    """The whole body, but for what differs between any two requests."""
    body = copy.deepcopy(dict(request.body))
    for key in BY_NOTHING:
        del body[key]
    return body


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The top-level keys of a body that changed, with their new values; None is absent."""
    keys = before.keys() | after.keys()
    return {key: after.get(key) for key in keys if before.get(key) != after.get(key)}


def blocks(turn: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A turn's blocks without the CLI's own: its marks for caching, and its notes."""
    content = turn["content"]
    found = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [
        {key: value for key, value in block.items() if key != "cache_control"}
        for block in found
        if not block.get("text", "").startswith("<system-reminder>")
    ]


def user_blocks(request: MessagesRequest) -> list[dict[str, Any]]:
    """The blocks of all user turns, in order."""
    return [block for turn in request.turns if turn["role"] == "user" for block in blocks(turn)]


def function(name: str, parameters: object = None, **more: object) -> dict[str, Any]:
    """A tool as clients send it; without `parameters` it has none."""
    definition = {"name": name, "description": f"Runs {name}.", **more}
    if parameters is not None:
        definition["parameters"] = parameters
    return {"type": "function", "function": definition}


def asked_again(choice: Choice, results: Mapping[str, object]) -> list[dict[str, Any]]:
    """The messages of a client that ran the choice's calls: `results` by id, in that order."""
    calls = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": call["arguments"]},
        }
        for call in choice.tool_calls
    ]
    return [
        {"role": "assistant", "content": choice.content or None, "tool_calls": calls},
        *({"role": "tool", "tool_call_id": key, "content": results[key]} for key in results),
    ]
