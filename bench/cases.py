"""What is asked: bodies of chat completions. Each has a mark, by which its upstream request is found."""

import base64
import itertools
import json
import random
import struct
import zlib
from typing import Any, Final

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    ToolUseBlock,
    Upstream,
    text_answer,
)

Body = dict[str, Any]

MODEL: Final = "claude-sonnet-4"
SAID: Final = "Hello there."
TOOL: Final = "mcp__t__look"
TOOLS: Final = [
    {
        "type": "function",
        "function": {
            "name": "look",
            "description": "Look somewhere.",
            "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
        },
    }
]
SET_UP: Final = """You give titles to conversations of a help desk.
Answer with the title alone: at most six words, in the language of the conversation, without
quotation marks and without a full stop at its end. Name the product if there is one, and what was
wrong with it. Leave out greetings, names of people and all numbers that could be an account's."""
"""The system prompt of those that ask again and again with the same one."""
_numbers = itertools.count()


def mark() -> str:
    """A text that no other request holds."""
    return f"mark-{next(_numbers):06d}-"


def user(text: str) -> Body:
    return {"role": "user", "content": text}


def body(messages: list[Body], **fields: Any) -> Body:
    return {"model": MODEL, "messages": messages, "stream": True, **fields}


def new(sign: str) -> Body:
    return body([user(f"{sign} How are you?")])


def set_up(sign: str, system: str = SET_UP) -> Body:
    """A new conversation with a system prompt."""
    said = user(f"{sign} Since the update my printer answers with a blank page. What is it?")
    return body([{"role": "system", "content": system}, said])


def own_set_up(sign: str) -> Body:
    """The same with a system prompt that nobody else has."""
    return set_up(sign, f"{SET_UP}\nYou work for the customer {sign}.")


def history(sign: str) -> Body:
    """Two hundred messages and the one that is new."""
    said = [
        (user(f"Question {n} of {sign}old?"), {"role": "assistant", "content": f"Answer {n}."})
        for n in range(100)
    ]
    return body([*itertools.chain.from_iterable(said), user(f"{sign} And then?")])


def image(sign: str) -> Body:
    url = f"data:image/png;base64,{PICTURE}"
    parts = [
        {"type": "text", "text": f"{sign} What is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    return body([{"role": "user", "content": parts}])


def tool(sign: str) -> Body:
    return body([user(f"{sign} Look.")], tools=TOOLS)


def further(asked: Body, answer: Body, sign: str) -> Body:
    """The request that follows an answer: with the results of its calls, or with a question."""
    calls = answer.get("tool_calls") or []
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"{sign} sea"} for call in calls
    ]
    return {**asked, "messages": [*asked["messages"], answer, *(results or [user(f"{sign} And?")])]}


def script(request: MessagesRequest) -> Answer:
    """A call where the tool is offered and has not been called; else a text."""
    if any(tool["name"] == TOOL for tool in request.tools) and not request.last_tool_results:
        return Answer(blocks=(ToolUseBlock(TOOL, {"at": "the sea"}),))
    return text_answer("Hello", " there.")


def arrival(upstream: Upstream, sign: str, after: float = 0.0) -> float:
    """When the request with this mark came; of several that came `after` this, the first."""
    found = None
    for request in reversed(list(upstream.requests)):
        if request.received < after:
            break
        if sign + " " in json.dumps(request.messages[-3:]):
            found = request.received
    if found is None:
        raise LookupError(f"no request with {sign} arrived")
    return found


def _picture(side: int) -> str:
    noise = random.Random(1)
    rows = b"".join(b"\0" + noise.randbytes(side * 3) for _ in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    png = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + png).decode()


PICTURE: Final = _picture(160)
