"""Signs the thinking of an answer, or of the part of it that will be sent."""

import json
from dataclasses import replace

from gateway_claude_code.upstream.events import finished
from gateway_claude_code.upstream.request import JsonObject, MessagesRequest
from gateway_claude_code.upstream.rules.content.signatures import sign
from gateway_claude_code.upstream.script import (
    Answer,
    Block,
    Cut,
    Failure,
    Reply,
    Silence,
    StreamError,
    ThinkingBlock,
    ToolUseBlock,
)


def signed(reply: Reply, request: MessagesRequest) -> Reply:
    """The reply with a signature on each thinking block that has none."""
    match reply:
        case Answer():
            return _signed_answer(reply, request)
        case Failure():
            return reply
        case StreamError():
            return replace(reply, answer=_signed_answer(reply.answer, request))
        case Cut() | Silence() if reply.answer is not None:
            return replace(reply, answer=_signed_answer(reply.answer, request))
    return reply


def _signed_answer(answer: Answer, request: MessagesRequest) -> Answer:
    blocks: list[Block] = []
    before: list[JsonObject] = []
    for block in answer.blocks:
        done = block
        if isinstance(block, ThinkingBlock) and block.signature is None:
            done = replace(block, signature=sign(request, before, block.thinking))
        blocks.append(done)
        before.append(_as_returned(done))
    return replace(answer, blocks=tuple(blocks))


def _as_returned(block: Block) -> JsonObject:
    """The block as the client will return it; arguments may be broken JSON."""
    try:
        return finished(block)
    except json.JSONDecodeError:
        broken = block.id if isinstance(block, ToolUseBlock) else ""
        return {"type": "tool_use", "id": broken}
