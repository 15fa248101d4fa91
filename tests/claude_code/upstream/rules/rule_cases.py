"""For each rule: bodies that it refuses, and bodies next to them that no rule refuses."""

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway_claude_code.upstream import MessagesRequest

Body = dict[str, Any]

OPUS = "claude-opus-5-5"
SONNET = "claude-sonnet-5-5"
HAIKU = "claude-haiku-5-5"
OPUS_5 = "claude-opus-5"
SONNET_5 = "claude-sonnet-5"
OPUS_4_8 = "claude-opus-4-8"
SONNET_4_6 = "claude-sonnet-4-6"
OPUS_4_5 = "claude-opus-4-5"
SONNET_4_5 = "claude-sonnet-4-5-20250929"

HELLO: Body = {"role": "user", "content": "Hello"}
CUT_SHORT: Body = {"role": "assistant", "content": "Well"}
LOOK: Body = {"name": "look", "input_schema": {"type": "object"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`wrong` bodies break the rule, with `says` in the message; `right` ones break none."""

    wrong: Sequence[MessagesRequest]
    right: Sequence[MessagesRequest]
    says: str


def request(
    *messages: Body, beta: str = "", size: int | None = None, **fields: Any
) -> MessagesRequest:
    """A request to opus with these messages, "Hello" by default; None takes a field away."""
    body = {
        "model": OPUS,
        "max_tokens": 4096,
        "messages": list(messages or (HELLO,)),
        **fields,
    }
    left = {name: value for name, value in body.items() if value is not None}
    return MessagesRequest(
        body=left,
        size=len(json.dumps(left)) if size is None else size,
        headers={"anthropic-beta": beta},
        received=0,
    )


def said(*blocks: Body, role: str = "user") -> Body:
    """A message of these blocks."""
    return {"role": role, "content": list(blocks)}


def text(words: str, **fields: Any) -> Body:
    """A text block."""
    return {"type": "text", "text": words, **fields}


def marked(words: str = "a", **mark: str) -> Body:
    """A text block with a mark for the cache."""
    return text(words, cache_control={"type": "ephemeral", **mark})


def called(*ids: str, **fields: Any) -> Body:
    """An assistant's message with calls of these ids."""
    calls = ({"type": "tool_use", "id": i, "name": "look", "input": {}, **fields} for i in ids)
    return said(*calls, role="assistant")


def result(of: str, content: object = "blue", **fields: Any) -> Body:
    """The result of a call."""
    return {"type": "tool_result", "tool_use_id": of, "content": content, **fields}


def loop(*ids: str, answer: Sequence[Body] | None = None, **fields: Any) -> MessagesRequest:
    """A conversation with one call of each id, and the results."""
    given = said(*(answer if answer is not None else [result(i) for i in ids]))
    return request(HELLO, called(*ids), given, **{"tools": [LOOK], **fields})


def tool(schema: object = None, **fields: Any) -> MessagesRequest:
    """A request with one tool of this schema."""
    given = {"type": "object"} if schema is None else schema
    return request(tools=[{"name": "look", "input_schema": given, **fields}])


def choice(kind: str, **fields: Any) -> MessagesRequest:
    """A request with a tool and a choice of it."""
    name = {"name": "look"} if kind == "tool" else {}
    return request(**{"tools": [LOOK], "tool_choice": {"type": kind, **name}, **fields})


def answer_of(schema: object, **fields: Any) -> MessagesRequest:
    """A request for an answer of a schema."""
    wanted = {"type": "json_schema", "schema": schema}
    return request(**{"output_config": {"format": wanted}, **fields})


def of_object(**properties: object) -> Body:
    """A closed object whose properties are all required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def optional(count: int) -> Body:
    """A closed object with this many optional properties."""
    properties = {f"p{n}": {"type": "string"} for n in range(count)}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def png(width: int = 1, height: int = 1) -> bytes:
    """The beginning of a PNG."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)


def inline(kind: str, media_type: str, data: bytes, **fields: Any) -> Body:
    """A picture or a document in base64."""
    encoded = base64.b64encode(data).decode()
    source = {"type": "base64", "media_type": media_type, "data": encoded}
    return {"type": kind, "source": source, **fields}


def picture(data: bytes | None = None, media_type: str = "image/png") -> Body:
    """A picture."""
    return inline("image", media_type, png() if data is None else data)


def pictures(count: int, side: int = 1, **fields: Any) -> MessagesRequest:
    """A request with this many pictures."""
    return request(said(*[picture(png(side, 1))] * count), **fields)


def document(pages: int = 1, **fields: Any) -> Body:
    """A PDF of so many pages."""
    data = b"%PDF-1.4\n" + b"<< /Type /Page >>\n" * pages + b"<< /Type /Pages >>"
    return inline("document", "application/pdf", data, **fields)


def thinking(kind: str, **fields: Any) -> Mapping[str, Any]:
    """The field `thinking`."""
    return {"thinking": {"type": kind, **fields}}


def enabled(budget: int, **fields: Any) -> MessagesRequest:
    """A request to a model that thinks with a budget."""
    given = {"model": SONNET_4_5, **thinking("enabled", budget_tokens=budget)}
    return request(**{**given, **fields})
