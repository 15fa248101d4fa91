"""What the fake CLI says and hears, whichever behaviour is broken."""

import base64
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Object = dict[str, Any]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def say(line: Object) -> None:
    """A line for the gateway."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def log(words: str) -> None:
    """An entry of the debug log, which the gateway has on standard error."""
    sys.stderr.write(f"2026-11-27T08:52:00.116Z [ERROR] {words}\n")
    sys.stderr.flush()


def say_text(text: str) -> None:
    """A whole message of the model with nothing but this text."""
    for event in (
        {"type": "message_start", "message": {"model": "m", "usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
        {"type": "content_block_delta", "index": 0, "delta": {"text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    ):
        say({"type": "stream_event", "event": event})


def smaller(block: Object) -> Object:
    """Content without a picture that is too wide: one pixel instead."""
    if block["type"] != "image":
        return block
    width = int.from_bytes(base64.b64decode(block["source"]["data"])[16:20], "big")
    return block if width <= 8000 else {**block, "source": {**block["source"], "data": PIXEL}}


class Input:
    """The gateway's lines."""

    def __init__(self) -> None:
        self._rest = b""

    def next(self) -> Object | None:
        """The next line; None at the end of input."""
        while b"\n" not in self._rest:
            read = os.read(sys.stdin.fileno(), 1 << 16)
            if not read:
                return None
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        heard: Object = json.loads(line)
        return heard

    def is_ready(self, seconds: float) -> bool:
        """Whether there is input within this time."""
        return b"\n" in self._rest or bool(select.select([sys.stdin], [], [], max(seconds, 0))[0])


def form(tool: Object, broken: str) -> Object:
    """A tool as the model has it; `broken` as in `fake_claude`."""
    schema = dict(tool["inputSchema"])
    if broken == "tools":
        schema.pop("additionalProperties", None)
    return {
        "name": f"mcp__t__{tool['name']}",
        "description": tool["description"][: 4096 if broken == "tool_descriptions" else None],
        "input_schema": schema,
    }


def whole(blocks: list[Object], pieces: list[list[Any]]) -> list[Object]:
    """The blocks of an answer with what their deltas had."""
    for block, found in zip(blocks, pieces, strict=True):
        text = "".join(piece for piece in found if isinstance(piece, str))
        if block["type"] == "text":
            block["text"] = text
        elif block["type"] != "web_search_tool_result":
            block["input"] = json.loads(text or "{}")
        if "citations" in block:
            block["citations"] = [piece for piece in found if isinstance(piece, dict)]
    return blocks


@contextmanager
def shown_in_argv(texts: list[str]) -> Iterator[None]:
    """A program runs meanwhile that has these texts among its arguments."""
    code = "import time; print(flush=True); time.sleep(60)"
    child = subprocess.Popen(
        [sys.executable, "-IS", "-c", code, *texts],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.readline()  # it runs, and so its arguments are in the list
    try:
        yield
    finally:
        child.kill()
        child.wait()
