"""What a client would send that asks the API itself and marks for the prompt cache. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.cases import Body

MARK: Final = {"type": "ephemeral"}
WAYS: Final[Mapping[str, tuple[bool, int]]] = {
    "no marks": (False, 0),
    "the system prompt": (True, 0),
    "the system prompt and the last message": (True, 1),
    "the system prompt and the last two messages of the user": (True, 2),
}
"""Ways to mark: whether the system prompt is, and how many of the last messages that are the user's
or have results of tools. The best of them is the best possible for the shapes of `talks`."""


def direct(body: Body, way: str) -> Body:
    """The body of `POST /v1/messages` for that of a chat completion with a system prompt."""
    system, *messages = body["messages"]
    said: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message["role"] == "assistant" else "user"
        if said and said[-1]["role"] == role:
            said[-1]["content"] += _content(message)
        else:
            said.append({"role": role, "content": _content(message)})
    mark_system, last = WAYS[way]
    block: Body = {"type": "text", "text": system["content"]}
    if mark_system:
        block["cache_control"] = MARK
    asked = [message for message in said if message["role"] == "user"]
    for message in asked[max(len(asked) - last, 0) :]:
        message["content"][-1]["cache_control"] = MARK
    tools = [_tool(tool["function"]) for tool in body.get("tools", ())]
    return {"model": "m", "tools": tools, "system": [block], "messages": said}


def _tool(function: Body) -> Body:
    return {
        "name": function["name"],
        "description": function["description"],
        "input_schema": function["parameters"],
    }


def _content(message: Body) -> list[Body]:
    if message["role"] == "tool":
        result = {"type": "tool_result", "tool_use_id": message["tool_call_id"]}
        return [{**result, "content": message["content"]}]
    text: Sequence[Body] = ()
    if message["content"]:
        text = [{"type": "text", "text": message["content"]}]
    return [*text, *map(_call, message.get("tool_calls") or ())]


def _call(call: Body) -> Body:
    function = call["function"]
    asked = json.loads(function["arguments"])
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": asked}
