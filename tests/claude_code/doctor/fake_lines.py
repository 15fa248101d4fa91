"""What the fake CLI says and hears, whichever behaviour is broken."""

import base64
import json
import select
import sys
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


def readable(seconds: float) -> bool:
    """Whether there is input within this time."""
    return bool(select.select([sys.stdin], [], [], max(seconds, 0))[0])
