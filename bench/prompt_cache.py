"""The API's prompt cache as a model: what each request costs, given those before it. Pure.

The rules are on platform.claude.com/docs/en/build-with-claude/prompt-caching:

- A request is one prefix of blocks, in the order tools, system, messages. A mark (`cache_control`)
  writes one entry, for the prefix that ends at its block. Nothing is written elsewhere.
- A request reads the longest entry that it finds. Each mark, from the last to the first, searches
  20 blocks, its own included.
- A prefix shorter than the model's minimum is not stored.
- Reading costs 0.1 of the input price, writing 1.25 for five minutes and 2 for an hour, and the rest
  the input price. Each use starts an entry's lifetime anew.
- A change of `tool_choice`, of `thinking`, or of whether there are pictures leaves the entries of
  tools and system, and no others.

Not modelled: that a parallel request can't read what another is still writing, the removal of
earlier thinking, and a `cache_control` at the top of the body.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

JsonObject = Mapping[str, Any]

CHARACTERS_PER_TOKEN: Final = 4
PICTURE_TOKENS: Final = 1500
BILLING_LINE: Final = "x-anthropic-billing-header:"
"""How the first system block of the CLI begins (seen with 2.1.330). Its last characters depend on
the conversation's first message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The documented numbers; `minimum` is in tokens, that of Sonnet 4.5 and 5.

    With `billing_line` the CLI's billing line is a part of the prefix like any other text. Whether
    it is one for the API is not documented.
    """

    minimum: int = 1024
    look_back: int = 20
    read: float = 0.1
    write: Mapping[str, float] = field(default_factory=lambda: {"5m": 1.25, "1h": 2.0})
    seconds: Mapping[str, float] = field(default_factory=lambda: {"5m": 300.0, "1h": 3600.0})
    billing_line: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The input tokens of requests, by how they are charged, and their cost in input tokens."""

    read: int = 0
    written: int = 0
    fresh: int = 0
    cost: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            read=self.read + other.read,
            written=self.written + other.written,
            fresh=self.fresh + other.fresh,
            cost=self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True)
class Position:
    """The end of a block: the digest and the tokens of the prefix, and the mark's lifetime, if any."""

    digest: bytes
    tokens: int
    lifetime: str | None


@dataclass(slots=True)
class _Entry:
    lifetime: str
    until: float


class PromptCache:
    """The entries that requests have written so far."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._entries: dict[bytes, _Entry] = {}

    def ask(self, body: JsonObject, at: float = 0.0) -> Spent:
        """The charge for the body of a `POST /v1/messages` that comes `at` so many seconds."""
        prefix = positions(body, billing_line=self._rules.billing_line)
        marks = [
            number
            for number, position in enumerate(prefix)
            if position.lifetime is not None and position.tokens >= self._rules.minimum
        ]
        read = self._found(prefix, marks, at)
        spent = self._write(prefix, [mark for mark in marks if mark > read], read, at)
        for mark in marks:
            if mark <= read:
                self._refresh(prefix[mark].digest, at)
        return spent

    def _found(self, prefix: Sequence[Position], marks: Sequence[int], at: float) -> int:
        """The last position of the longest prefix that can be read; -1 for none."""
        for mark in reversed(marks):
            for number in range(mark, max(mark - self._rules.look_back, -1), -1):
                entry = self._entries.get(prefix[number].digest)
                if entry is not None and entry.until > at:
                    self._refresh(prefix[number].digest, at)
                    return number
        return -1

    def _refresh(self, digest: bytes, at: float) -> None:
        entry = self._entries.get(digest)
        if entry is not None and entry.until > at:
            entry.until = at + self._rules.seconds[entry.lifetime]

    def _write(
        self, prefix: Sequence[Position], marks: Sequence[int], read: int, at: float
    ) -> Spent:
        done = known = prefix[read].tokens if read >= 0 else 0
        cost = known * self._rules.read
        for mark in marks:
            digest, tokens, lifetime = (
                prefix[mark].digest,
                prefix[mark].tokens,
                prefix[mark].lifetime,
            )
            assert lifetime is not None
            cost += (tokens - done) * self._rules.write[lifetime]
            self._entries[digest] = _Entry(lifetime, at + self._rules.seconds[lifetime])
            done = tokens
        fresh = (prefix[-1].tokens if prefix else 0) - done
        return Spent(read=known, written=done - known, fresh=fresh, cost=cost + fresh)


def positions(body: JsonObject, *, billing_line: bool = False) -> list[Position]:
    """The ends of all blocks, in the order of the prefix."""
    found: list[Position] = []
    digest = hashlib.sha256(_text(body.get("model")).encode())
    tokens = 0

    def add(place: str, block: JsonObject) -> None:
        nonlocal tokens
        mark = block.get("cache_control")
        bare = {name: value for name, value in block.items() if name != "cache_control"}
        digest.update(f"{place} {_text(bare)}\n".encode())
        tokens += _tokens(bare)
        lifetime = str(mark.get("ttl", "5m")) if isinstance(mark, Mapping) else None
        found.append(Position(digest.digest(), tokens, lifetime))

    for tool in body.get("tools") or ():
        add("tool", tool)
    for block in _blocks(body.get("system")):
        if billing_line or not str(block.get("text", "")).startswith(BILLING_LINE):
            add("system", block)
    messages = body.get("messages") or ()
    pictures = any(b.get("type") == "image" for m in messages for b in _blocks(m.get("content")))
    digest.update(_text([body.get("tool_choice"), body.get("thinking"), pictures]).encode())
    for message in messages:
        place = {name: value for name, value in message.items() if name != "content"}
        digest.update(_text(place).encode())
        for block in _blocks(message.get("content")):
            add("message", block)
    return found


def _blocks(content: object) -> Iterator[JsonObject]:
    """A text alone is the same as one block of it."""
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, Sequence):
        yield from content


def _tokens(block: JsonObject) -> int:
    if "source" in block:
        return PICTURE_TOKENS
    text = block["text"] if block.get("type") == "text" else _text(block)
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
