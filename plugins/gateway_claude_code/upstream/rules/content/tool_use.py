"""Rules about calls of tools and their results in the conversation."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import JsonObject, MessagesRequest
from gateway_claude_code.upstream.rules.blocks import content_blocks, placed_blocks
from gateway_claude_code.upstream.rules.rule import Refusal, invalid

ID: Final = re.compile(r"[a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """Consecutive messages of one role, which the API takes as one; `index` is of the first."""

    index: int
    role: str
    blocks: tuple[JsonObject, ...]


def ids(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """An id has letters, digits, `_` and `-` only."""
    for placed in placed_blocks(request):
        key = {"tool_use": "id", "tool_result": "tool_use_id"}.get(placed.kind)
        if key and not ID.fullmatch(str(placed.block.get(key, ""))):
            where = f"{placed.path}.{placed.kind}.{key}"
            return invalid(f"{where}: String should match pattern '^[a-zA-Z0-9_-]+$'")
    return None


def unique_ids(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """No two calls of the conversation have the same id."""
    counted = Counter(
        str(placed.block.get("id"))
        for placed in placed_blocks(request)
        if placed.kind == "tool_use"
    )
    if any(count > 1 for count in counted.values()):
        return invalid("messages: `tool_use` ids must be unique")
    return None


def input_is_object(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """The input of a call is an object."""
    for placed in placed_blocks(request):
        if placed.kind == "tool_use" and not isinstance(placed.block.get("input"), Mapping):
            return invalid(f"{placed.path}.tool_use.input: Input should be a valid dictionary")
    return None


def answered(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Each call has its result in the next user message, before anything else there."""
    turns = list(_turns(request))
    for turn, after in zip(turns, [*turns[1:], None], strict=True):
        called = [str(b.get("id")) for b in turn.blocks if b.get("type") == "tool_use"]
        if turn.role != "assistant" or not called:
            continue
        given = _leading_results(after) if after is not None else set()
        if missing := [call for call in called if call not in given]:
            return invalid(
                f"messages.{turn.index}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}. Each `tool_use` block must have a "
                "corresponding `tool_result` block in the next message."
            )
    return None


def no_orphans(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Each result is for a call of the assistant's message right before it."""
    before: set[str] = set()
    for turn in _turns(request):
        for index, block in enumerate(turn.blocks):
            found = str(block.get("tool_use_id"))
            if block.get("type") == "tool_result" and found not in before:
                return invalid(
                    f"messages.{turn.index}.content.{index}: unexpected `tool_use_id` found in "
                    f"`tool_result` blocks: {found}. Each `tool_result` block must have a "
                    "corresponding `tool_use` block in the previous message."
                )
        calls = (b for b in turn.blocks if b.get("type") == "tool_use")
        before = {str(call.get("id")) for call in calls} if turn.role == "assistant" else set()
    return None


def one_result_each(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A call has a single result."""
    seen: set[str] = set()
    for placed in placed_blocks(request):
        if placed.kind != "tool_result":
            continue
        found = str(placed.block.get("tool_use_id"))
        if found in seen:
            return invalid(
                f"{placed.path}: each tool_use must have a single result. Found multiple "
                f"`tool_result` blocks with id: {found}"
            )
        seen.add(found)
    return None


def errors_are_text(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A result with `is_error` holds text only."""
    for placed in placed_blocks(request):
        if placed.kind != "tool_result" or not placed.block.get("is_error"):
            continue
        blocks = content_blocks(placed.block.get("content"))
        if any(block.get("type") != "text" for block in blocks):
            return invalid(
                f'{placed.path}.tool_result: all content must be type "text" if "is_error" is true'
            )
    return None


def tools_defined(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Calls and results in the conversation need a definition of tools."""
    kinds = {placed.kind for placed in placed_blocks(request)}
    if kinds & {"tool_use", "tool_result"} and not request.tools:
        return invalid(
            "Requests which include `tool_use` or `tool_result` blocks must define tools."
        )
    return None


def _turns(request: MessagesRequest) -> Iterator[_Turn]:
    """The conversation without `role: system`, messages of one role put together."""
    last: _Turn | None = None
    for index, message in enumerate(request.messages):
        role = str(message.get("role"))
        if role == "system":
            continue
        blocks = tuple(content_blocks(message.get("content")))
        if last is not None and last.role == role:
            last = _Turn(index=last.index, role=role, blocks=(*last.blocks, *blocks))
            continue
        if last is not None:
            yield last
        last = _Turn(index=index, role=role, blocks=blocks)
    if last is not None:
        yield last


def _leading_results(turn: _Turn) -> set[str]:
    found = set()
    for block in turn.blocks:
        if block.get("type") != "tool_result":
            break
        found.add(str(block.get("tool_use_id")))
    return found
