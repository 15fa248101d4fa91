"""One kind of body, and the parts that bodies are made of."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from gateway.config.settings import LimitsConfig

Body: TypeAlias = dict[str, Any]
Answerer: TypeAlias = Literal["echo", "cli"]

MEGABYTE: Final = 1_000_000
LIMITS: Final = LimitsConfig()
PNG: Final = b"\x89PNG\r\n\x1a\n"
_SLACK: Final = 2000
"""Bytes of a body besides what fills it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` returns a body of at most so many bytes, as text or as what is to be JSON.

    `cli`: whether it gets as far as to the CLI.
    """

    name: str
    make: Callable[[int], Body | bytes]
    cli: bool = True

    def body(self, size: int, model: str) -> bytes:
        """The bytes to send, for a model."""
        made = self.make(size - _SLACK)
        if isinstance(made, bytes):
            return made.replace(b"MODEL", model.encode(), 1)
        return json.dumps({"model": model, **made}, separators=(",", ":")).encode()


def said(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def asking(content: object, **fields: object) -> Body:
    return {"messages": [said(content)], **fields}


def raw(content: bytes) -> bytes:
    """A body whose only text is these bytes of JSON, as they are."""
    return b'{"model":"MODEL","messages":[{"role":"user","content":"' + content + b'"}]}'


def repeated(piece: bytes) -> Callable[[int], bytes]:
    return lambda size: raw(piece * (size // len(piece)))


def filled(size: int, most: int, frame: int) -> tuple[int, str]:
    """How many items fit, each with `frame` bytes around its text, and the text of each."""
    count = max(min(most, size // (frame + 1)), 1)
    return count, "x" * max(size // count - frame, 1)


def calling(calls: Sequence[object]) -> Body:
    return {"role": "assistant", "content": None, "tool_calls": calls}


def call(number: int, name: str, arguments: str) -> Body:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


def result(number: int, text: str) -> Body:
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": text}


def base64_of(begins: bytes, size: int, then: bytes = b"abcdefgh") -> str:
    content = begins + then * (size // len(then))
    return base64.b64encode(content[: size * 3 // 4 - 3]).decode()


def tool(number: int, schema: Mapping[str, object], description: str = "") -> Body:
    function = {"name": f"tool_{number}", "description": description, "parameters": schema}
    return {"type": "function", "function": function}
