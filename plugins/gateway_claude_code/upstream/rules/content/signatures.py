"""Signatures of thinking blocks: how the stand-in signs them, and when it accepts them again.

platform.claude.com/docs/en/build-with-claude/preserved-thinking/prefix-checks: a block has to come
back unchanged. On models that bind their thinking, the system prompt, the tools and all messages
before it have to be the same too, as has the thinking block before it unless all earlier ones are
gone. Thinking of another model is ignored.

Left out of the comparison are `cache_control`, blanks around a text, the difference between a
string and one text block (all three as documented), and what the CLI adds of its own.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import (
    JsonObject,
    MessagesRequest,
    is_note,
    is_the_clis,
)
from gateway_claude_code.upstream.rules.blocks import content_blocks, text_of
from gateway_claude_code.upstream.rules.rule import Refusal, invalid

THINKING: Final = ("thinking", "redacted_thinking")

_KEY: Final = b"the stand-in's own"
_PARTS: Final = 5
_NONE: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """The content of a signature: digests, and `before` of the previous thinking block."""

    model: str
    text: str
    prefix: str
    before: str

    def __str__(self) -> str:
        content = ".".join((self.model, self.text, self.prefix, self.before))
        return f"{content}.{_digest(content)}"


def sign(request: MessagesRequest, blocks: Sequence[JsonObject], thinking: str) -> str:
    """The signature of a thinking block that follows `blocks` in the answer to the request."""
    message = {"role": "assistant", "content": list(blocks)}
    messages = [*request.messages, message]
    return str(_signed(request, messages, len(blocks), thinking))


def unmodified(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """The text and the signature of a thinking block are unchanged."""
    for number, index, block in _thinking_blocks(request.messages):
        if block.get("type") != "thinking":
            continue
        where = f"messages.{number}.content.{index}"
        signed = _read(str(block.get("signature", "")))
        if signed is None:
            return invalid(f"{where}: Invalid `signature` in `thinking` block")
        if signed.text != _digest(str(block.get("thinking", ""))):
            return invalid(
                f"{where}: `thinking` or `redacted_thinking` blocks in the latest assistant "
                "message cannot be modified. These blocks must remain as they were in the "
                "original response."
            )
    return None


def bound(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """The conversation before a thinking block is the same as when it was made."""
    if not facts.bound_thinking:
        return None
    for number, index, block in _thinking_blocks(request.messages):
        signed = _read(str(block.get("signature", "")))
        if signed is None or signed.model != _digest(request.model):
            continue
        now = _signed(request, request.messages[: number + 1], index, "")
        if now.prefix != signed.prefix or now.before not in (signed.before, _NONE):
            return invalid(
                f"messages.{number}.content.{index}: Invalid `signature` in `thinking` block. The "
                "block is bound to a different conversation. Remove the block, or set "
                '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
            )
    return None


def _signed(
    request: MessagesRequest, messages: Sequence[JsonObject], index: int, thinking: str
) -> _Signed:
    """The signature's content for a thinking block at `index` in the last of these messages."""
    last = messages[-1]
    beginning = {**last, "content": content_blocks(last.get("content"))[:index]}
    before = [*messages[:-1], beginning]
    tools = sorted(_plain(request.tools), key=lambda tool: str(tool.get("name")))
    prefix = {
        "system": _compared(request.body.get("system")),
        "tools": tools,
        "messages": list(_spoken(before)),
    }
    earlier = [block for _, _, block in _thinking_blocks(before)]
    signatures = [signed for block in earlier if (signed := _read(str(block.get("signature"))))]
    own = [signed.text for signed in signatures if signed.model == _digest(request.model)]
    return _Signed(
        model=_digest(request.model),
        text=_digest(thinking),
        prefix=_digest(json.dumps(prefix, sort_keys=True)),
        before=own[-1] if own else _NONE,
    )


def _spoken(messages: Sequence[JsonObject]) -> Iterator[JsonObject]:
    """The messages without `role: system`, those of one role in a row put together."""
    last: dict[str, Any] = {}
    for message in messages:
        content = _compared(message.get("content"))
        if message.get("role") == "system" or not content:
            continue
        if message.get("role") == last.get("role"):
            last["content"] += content
            continue
        if last:
            yield last
        last = {"role": message.get("role"), "content": content}
    if last:
        yield last


def _compared(content: object) -> list[Any]:
    compared = []
    for block in content_blocks(content):
        if block.get("type") in THINKING:
            continue
        plain = _plain(block)
        if block.get("type") == "text":
            text = text_of(block).strip()
            if not text or is_note(text) or is_the_clis(text):
                continue
            plain = {**plain, "text": text}
        compared.append(plain)
    return compared


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value without marks for the cache."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items() if key != "cache_control"}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _thinking_blocks(messages: Sequence[JsonObject]) -> Iterator[tuple[int, int, JsonObject]]:
    for number, message in enumerate(messages):
        for index, block in enumerate(content_blocks(message.get("content"))):
            if block.get("type") in THINKING:
                yield number, index, block


def _read(signature: str) -> _Signed | None:
    parts = signature.split(".")
    if len(parts) != _PARTS or parts[-1] != _digest(".".join(parts[:-1])):
        return None
    model, text, prefix, before = parts[:-1]
    return _Signed(model=model, text=text, prefix=prefix, before=before)


def _digest(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hmac.new(_KEY, data, hashlib.sha256).hexdigest()[:24]
