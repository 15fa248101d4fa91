"""The items of `output`, each whole.

Their shapes are those of `openai.types.responses.ResponseOutputItem` (openai-python 3.54).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Literal, TypeAlias

from gateway.types import (
    AnswerPart,
    ChatResponse,
    Citation,
    Text,
    Thinking,
    ToolCall,
    WebSearch,
)
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
    groups = [list(group) for group in _groups(response.parts)]
    cut = response.stop_reason == "max_tokens"
    for index, group in enumerate(groups):
        last = index == len(groups) - 1
        status: ItemStatus = "incomplete" if cut and last else "completed"
        items.append(_item(group, form, index, status))
    if (refusal := refusal_text(response)) is not None:
        items.append(refusal_item(form, len(items), refusal))
    return items


def _groups(parts: Iterable[AnswerPart]) -> Iterator[Iterable[AnswerPart]]:
    """The parts of each item: texts that follow each other are one."""
    said = (part for part in parts if not isinstance(part, Text) or part.text)
    for is_text, group in groupby(said, key=lambda part: isinstance(part, Text)):
        if is_text:
            yield group
        else:
            yield from ([part] for part in group)


def _item(
    group: Sequence[AnswerPart], form: ResponseForm, index: int, status: ItemStatus
) -> dict[str, Any]:
    match group[0]:
        case Text():
            texts = [part for part in group if isinstance(part, Text)]
            return message_item(form.item_id("msg", index), [_cited_text(texts)], status)
        case Thinking() as thinking:
            return reasoning_item(thinking, form, index, status)
        case WebSearch() as search:
            return search_item(search, form, index)
        case call:
            offer = form.offer(call.name)
            item_id = form.item_id(PREFIXES[offer.kind], index)
            return call_item(offer, call, item_id, status)


def _cited_text(texts: Sequence[Text]) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    end = 0
    for text in texts:
        start, end = end, end + len(text.text)
        annotations += [url_citation(citation, start, end) for citation in text.citations]
    return text_part("".join(text.text for text in texts), annotations)


def message_item(item_id: str, content: list[dict[str, Any]], status: ItemStatus) -> dict[str, Any]:
    """`ResponseOutputMessage`."""
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def text_part(text: str, annotations: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """`ResponseOutputText`."""
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def url_citation(citation: Citation, start: int, end: int) -> dict[str, Any]:
    """A page that is cited for `text[start:end]`, in characters (code points)."""
    return {
        "type": "url_citation",
        "start_index": start,
        "end_index": end,
        "url": citation.url,
        "title": citation.title or citation.url,
    }


def search_item(
    search: WebSearch, form: ResponseForm, index: int, status: str | None = None
) -> dict[str, Any]:
    """`ResponseFunctionWebSearch`. The sources are there if the client asked for them."""
    action: dict[str, Any] = {"type": "search", "query": search.query, "queries": [search.query]}
    if form.sources:
        action["sources"] = [{"type": "url", "url": source.url} for source in search.sources]
    return {
        "id": form.item_id("ws", index),
        "type": "web_search_call",
        "status": status or search.status,
        "action": action,
    }


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
