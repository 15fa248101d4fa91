"""From an `Answer` to the wire: events of a stream, or one whole message.

Shapes and order are those of platform.claude.com/docs/en/build-with-claude/streaming.
"""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from gateway.content.surrogates import whole_characters
from gateway_claude_code.upstream.request import JsonObject
from gateway_claude_code.upstream.script import (
    Answer,
    Block,
    SearchBlock,
    SearchResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)
from gateway_claude_code.upstream.web import found

Event: TypeAlias = dict[str, Any]

PING: Event = {"type": "ping"}


def message_events(answer: Answer, model: str) -> Iterator[Event]:
    """The events: message_start, start/deltas/stop of each block, message_delta, message_stop.

    `model` is the requested one, for answers that do not name theirs.
    """
    start = {**_envelope(answer, model), "content": [], "stop_reason": None, "stop_sequence": None}
    start["usage"] = {**_input_usage(answer), "output_tokens": 1}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(answer.blocks):
        yield {"type": "content_block_start", "index": index, "content_block": _opening(block)}
        if answer.ping and index == 0:
            yield PING
        for delta in _deltas(block, answer.piece_chars):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending: Event = {"stop_reason": stop_reason(answer), "stop_sequence": answer.stop_sequence}
    if answer.stop_details is not None:
        ending["stop_details"] = answer.stop_details
    usage = {**_output_usage(answer), **answer.last_usage}
    yield {"type": "message_delta", "delta": ending, "usage": usage}
    yield {"type": "message_stop"}


def whole_message(answer: Answer, model: str) -> Event:
    """The message that answers a request without a stream."""
    return {
        **_envelope(answer, model),
        "content": [finished(block) for block in answer.blocks],
        "stop_reason": stop_reason(answer),
        "stop_sequence": answer.stop_sequence,
        "usage": {**_input_usage(answer), **_output_usage(answer)},
    }


def error_event(error_type: str, message: str) -> Event:
    """The body of an HTTP error, and the event of an error in a stream."""
    return {"type": "error", "error": {"type": error_type, "message": message}}


def encode(event: JsonObject) -> bytes:
    """One server-sent event."""
    data = json.dumps(event, ensure_ascii=False)
    if data != whole_characters(data):  # halves of characters, which are sent as escapes
        data = json.dumps(event)
    return f"event: {event['type']}\ndata: {data}\n\n".encode()


def stop_reason(answer: Answer) -> str:
    """The answer's own stop reason, or else the one that its blocks imply."""
    if answer.stop_reason is not None:
        return answer.stop_reason
    calls = any(isinstance(block, ToolUseBlock) for block in answer.blocks)
    return "tool_use" if calls else "end_turn"


def _envelope(answer: Answer, model: str) -> Event:
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model if answer.model is not None else model,
    }


def _input_usage(answer: Answer) -> Event:
    return {
        "input_tokens": answer.usage.input_tokens,
        "cache_read_input_tokens": answer.usage.cache_read_input_tokens,
        "cache_creation_input_tokens": answer.usage.cache_creation_input_tokens,
    }


def _output_usage(answer: Answer) -> Event:
    usage: Event = {"output_tokens": answer.usage.output_tokens}
    if answer.usage.thinking_tokens is not None:
        usage["output_tokens_details"] = {"thinking_tokens": answer.usage.thinking_tokens}
    if answer.usage.searches:
        usage["server_tool_use"] = {
            "web_search_requests": answer.usage.searches,
            "web_fetch_requests": 0,
        }
    return usage


def _opening(block: Block) -> Event:
    match block:
        case TextBlock():
            return {"type": "text", "text": "", **({"citations": []} if block.citations else {})}
        case ThinkingBlock():
            return {"type": "thinking", "thinking": "", "signature": ""}
        case SearchBlock():
            return {"type": "server_tool_use", "id": block.id, "name": "web_search", "input": {}}
        case SearchResultBlock():  # complete, without deltas ("Streaming server-tool events")
            return _search_result(block)
        case ToolUseBlock():
            given = block.input if block.at_once else {}
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": given}


def _deltas(block: Block, piece_chars: int) -> Iterator[Event]:
    match block:
        case TextBlock():
            for citation in block.citations:
                yield {"type": "citations_delta", "citation": dict(citation)}
            for piece in block.pieces or _pieces(block.text, piece_chars):
                yield {"type": "text_delta", "text": piece}
        case ThinkingBlock():
            for piece in _pieces(block.thinking, piece_chars):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block.signature or ""}
        case SearchBlock():
            for piece in _pieces(
                json.dumps({"query": block.query}, ensure_ascii=False), piece_chars
            ):
                yield {"type": "input_json_delta", "partial_json": piece}
        case ToolUseBlock() if not block.at_once:
            # The API begins with an empty piece, and sends no other one for a call without input.
            for piece in ("", *_pieces(_input_json(block), piece_chars)):
                yield {"type": "input_json_delta", "partial_json": piece}


def finished(block: Block) -> Event:
    """The block as it is in a whole message."""
    match block:
        case TextBlock():
            citations = {"citations": [dict(one) for one in block.citations]}
            text = "".join(block.pieces) or block.text
            return {"type": "text", "text": text, **(citations if block.citations else {})}
        case SearchBlock():
            return {**_opening(block), "input": {"query": block.query}}
        case SearchResultBlock():
            return _search_result(block)
        case ThinkingBlock():
            signature = block.signature or ""
            return {"type": "thinking", "thinking": block.thinking, "signature": signature}
        case ToolUseBlock():
            return {**_opening(block), "input": json.loads(_input_json(block) or "{}")}


def _search_result(block: SearchResultBlock) -> Event:
    """platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool, "Response" and "Errors"."""
    content: Any = [found(url) for url in block.urls]
    if block.error is not None:
        content = {"type": "web_search_tool_result_error", "error_code": block.error}
    return {"type": "web_search_tool_result", "tool_use_id": block.id, "content": content}


def _input_json(block: ToolUseBlock) -> str:
    if isinstance(block.input, str):
        return block.input
    return json.dumps(block.input, ensure_ascii=False) if block.input else ""


def _pieces(text: str, chars: int) -> Iterator[str]:
    for start in range(0, len(text), chars):
        yield text[start : start + chars]
