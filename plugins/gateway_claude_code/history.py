"""From the hub's messages to the turns of the model's API. Pure.

Rules of the API that this sees to: turns alternate, a call's result stands at the start of the
very next user turn, no text block is blank, and the conversation ends with the user.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.types import (
    Document,
    Image,
    Message,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from gateway_claude_code.protocol import Block
from gateway_claude_code.tool_names import ToolNames

CONTINUE = "Continue."
NO_RESULT = "(no result was given for this call)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn as content blocks of the Messages API."""

    role: Role
    blocks: tuple[Block, ...]


def turns(messages: Iterable[Message], names: ToolNames) -> list[Turn]:
    """All messages as alternating turns, the last one the user's."""
    merged = merged_turns(messages)
    if merged and merged[0][0] == "assistant":
        merged.insert(0, ("user", [Text(text=CONTINUE)]))
    if not merged or merged[-1][0] == "assistant":
        merged.append(("user", [Text(text=CONTINUE)]))
    return [
        Turn(role=role, blocks=tuple(_blocks(role, parts, calls, names)))
        for (role, parts), calls in zip(merged, _open_calls(merged), strict=True)
    ]


def merged_turns(messages: Iterable[Message]) -> list[tuple[Role, list[Part]]]:
    """The parts of each turn, without those that say nothing to the model."""
    merged: list[tuple[Role, list[Part]]] = []
    for message in messages:
        parts = [part for part in message.parts if not _is_passed_over(part)]
        if not parts:
            continue
        if merged and merged[-1][0] == message.role:
            merged[-1][1].extend(parts)
        else:
            merged.append((message.role, parts))
    return merged


def _open_calls(merged: Sequence[tuple[Role, list[Part]]]) -> Iterable[list[str]]:
    """For each turn, the ids of the calls in the turn before it."""
    yield []
    for _, parts in merged[:-1]:
        yield [part.id for part in parts if isinstance(part, ToolCall)]


def _blocks(role: Role, parts: Sequence[Part], calls: list[str], names: ToolNames) -> list[Block]:
    if role == "assistant":
        # text before calls, as the API has it
        ordered = sorted(parts, key=lambda part: isinstance(part, ToolCall))
        return [block for part in ordered if (block := _assistant_block(part, names))]
    results = {part.call_id: part for part in parts if isinstance(part, ToolResult)}
    answered = [
        _result_block(
            results.get(call_id)
            or ToolResult(call_id=call_id, parts=(Text(text=NO_RESULT),), is_error=True)
        )
        for call_id in calls
    ]
    known = frozenset(calls)
    rest = [block for part in parts if (block := _user_block(part, known))]
    return answered + rest


def _assistant_block(part: Part, names: ToolNames) -> Block | None:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case ToolCall():
            return {
                "type": "tool_use",
                "id": api_id(part.id),
                "name": names.to_model(part.name),
                "input": names.arguments_to_model(part.name, call_input(part.arguments)),
            }
        case _:
            return None


def _user_block(part: Part, calls: Collection[str]) -> Block | None:
    match part:
        case ToolResult() if part.call_id not in calls:
            return {"type": "text", "text": f"(result of an earlier call) {_plain(part)}"}
        case ToolResult():
            return None
        case _:
            return content_block(part)


def content_block(part: Part) -> Block | None:
    """A block of user content: text, an image, or a document."""
    match part:
        case Text():
            return {"type": "text", "text": defused(part.text)}
        case Image(url=str(url)):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case Image():
            source = {"type": "base64", "media_type": part.media_type, "data": part.data}
            return {"type": "image", "source": source}
        case Document():
            return _document_block(part)
        case _:
            return None


def _document_block(part: Document) -> Block:
    if part.media_type == "application/pdf":
        source = {"type": "base64", "media_type": part.media_type, "data": part.data}
    else:
        source = {"type": "text", "media_type": "text/plain", "data": part.data}
    block: Block = {"type": "document", "source": source}
    if part.title:
        block["title"] = part.title
    return block


def _result_block(result: ToolResult) -> Block:
    # in the order of keys that the CLI has itself, so that the bytes are the same either way
    block: Block = {"tool_use_id": api_id(result.call_id), "type": "tool_result"}
    if content := result_content(result):
        block["content"] = content
    if result.is_error:
        block["is_error"] = True
    return block


def api_id(call_id: str) -> str:
    """A client's id in the alphabet of the API's ids, `^[a-zA-Z0-9_-]+$`.

    Ids of the API's own, which went out without their underscores, become what they were.
    """
    if own := re.fullmatch(r"toolu(bdrk|vrtx)?([a-zA-Z0-9]+)", call_id):
        return "_".join(("toolu", *(part for part in own.groups() if part)))
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)
    if plain == call_id:
        return call_id
    # The API refuses two calls with one id, which "a:1" and "a.1" would become.
    return f"{plain}_{hashlib.sha256(call_id.encode()).hexdigest()[:8]}"


def result_content(result: ToolResult) -> list[Block]:
    """The content blocks of a tool result, as the Messages API has them."""
    return [
        block
        for part in result.parts
        if not _is_blank(part) and (block := content_block(part)) is not None
    ]


def defused(text: str) -> str:
    """Text that the CLI can't take for a slash command: seen, a newline in front is enough."""
    return f"\n{text}" if text.startswith("/") else text


def call_input(arguments: str) -> dict[str, Any]:
    """A call's arguments as the object that the API wants. What is no JSON object is kept as text."""
    if not arguments.strip():
        return {}
    try:
        value = json.loads(arguments)
        # NaN and Infinity are no JSON, and would end the CLI
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"arguments": arguments}


def _is_passed_over(part: Part) -> bool:
    return isinstance(part, Thinking) or _is_blank(part)


def _is_blank(part: Part) -> bool:
    return isinstance(part, Text) and not part.text.strip()


def _plain(result: ToolResult) -> str:
    return "\n".join(part.text for part in result.parts if isinstance(part, Text))
