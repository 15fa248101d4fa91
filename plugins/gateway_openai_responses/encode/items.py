"""The items of `output`, each whole.

Their shapes are those of `openai.types.responses.ResponseOutputItem` (openai-python 3.54).
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from gateway.types import ChatResponse, Text, Thinking, ToolCall
from gateway_openai_responses.encode.response import ResponseForm, refusal_text
from gateway_openai_responses.thinking import sealed
from gateway_openai_responses.tool_kinds import Kind, Offer, call_fields

ItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"]

PREFIXES: Final[Mapping[Kind, str]] = {
    "function": "fc",
    "custom": "ctc",
    "local_shell": "lsh",
    "shell": "sh",
    "apply_patch": "apc",
    "tool_search": "tsc",
}
"""Beginnings of the ids of calls, as OpenAI has them."""


def output_of(response: ChatResponse, form: ResponseForm) -> list[dict[str, Any]]:
    """All items of a whole answer, with `encrypted_content` wherever there can be one."""
    items: list[dict[str, Any]] = []
    said = [part for part in response.parts if not isinstance(part, Text) or part.text]
    cut = response.stop_reason == "max_tokens"
    for index, part in enumerate(said):
        last = index == len(said) - 1
        status: ItemStatus = "incomplete" if cut and last else "completed"
        items.append(_item(part, form, index, status))
    if (refusal := refusal_text(response)) is not None:
        items.append(refusal_item(form, len(items), refusal))
    return items


def _item(
    part: Text | Thinking | ToolCall, form: ResponseForm, index: int, status: ItemStatus
) -> dict[str, Any]:
    match part:
        case Text():
            return message_item(form.item_id("msg", index), [text_part(part.text)], status)
        case Thinking():
            return reasoning_item(part, form, index, status)
        case call:
            offer = form.offer(call.name)
            item_id = form.item_id(PREFIXES[offer.kind], index)
            return call_item(offer, call, item_id, status)


def message_item(item_id: str, content: list[dict[str, Any]], status: ItemStatus) -> dict[str, Any]:
    """`ResponseOutputMessage`."""
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def text_part(text: str) -> dict[str, Any]:
    """`ResponseOutputText`."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_part(text: str) -> dict[str, Any]:
    """`ResponseOutputRefusal`."""
    return {"type": "refusal", "refusal": text}


def refusal_item(form: ResponseForm, index: int, text: str) -> dict[str, Any]:
    """The message that says a refusal; all text before it stays."""
    return message_item(form.item_id("msg", index), [refusal_part(text)], "completed")


def reasoning_item(
    thinking: Thinking, form: ResponseForm, index: int, status: ItemStatus
) -> dict[str, Any]:
    """`ResponseReasoningItem`. What the API shows of the thinking is its summary."""
    shown = form.summary and thinking.text
    return {
        "id": form.item_id("rs", index),
        "type": "reasoning",
        "status": status,
        "summary": [{"type": "summary_text", "text": thinking.text}] if shown else [],
        "encrypted_content": sealed(thinking),
    }


def call_item(offer: Offer, call: ToolCall, item_id: str, status: ItemStatus) -> dict[str, Any]:
    """The item of a call, by the kind of its tool."""
    # no state of this kind but these two: `ResponseApplyPatchToolCall`
    shown = "completed" if offer.kind == "apply_patch" and status == "incomplete" else status
    return {
        "id": item_id,
        "status": shown,
        "call_id": call.id,
        **call_fields(offer, call.arguments),
    }


def visible(item: Mapping[str, Any], *, encrypted: bool) -> Mapping[str, Any]:
    """An item as a client gets it: `encrypted_content` only if it asked for that."""
    if encrypted or "encrypted_content" not in item:
        return item
    return {**item, "encrypted_content": None}
