"""One response as it is kept, with the items that the request had."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Json: TypeAlias = Mapping[str, Any]

_ITEM_ID: Final = re.compile(r"[a-z]+_([0-9a-f]{48})i?[0-9a-f]{4}")
"""The id of an item has that of its response in it (`ResponseForm.item_id`, `input_items`)."""

_PREFIXES: Final = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "function_call_output": "fco",
    "custom_tool_call_output": "ctco",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A response, without its `output`, beside that and the `items` of its request.

    `caller` is whose it is (`Client.caller`), `thread` is the id of the first response of the
    conversation, and `previous` that of the one before. `created` is in seconds since the epoch.
    """

    id: str
    caller: str
    thread: str
    previous: str | None
    created: float
    response: Json
    output: Sequence[Json]
    items: Sequence[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A conversation up to and including a response; `size` is its length in bytes, about."""

    thread: str
    items: tuple[Json, ...]
    size: int


def response_of_item(item_id: str) -> str | None:
    """The id of the response that an item belongs to; None for an id that is not one of ours."""
    found = _ITEM_ID.fullmatch(item_id)
    return f"resp_{found[1]}" if found else None


def input_items(
    given: object, response_id: str, referenced: Mapping[str, Json]
) -> Iterator[dict[str, Any]]:
    """The items of a request's `input`, each with an id and a type, as the API lists them."""
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    for index, item in enumerate(items if isinstance(items, list) else ()):
        yield _listed(_meant(item, referenced), response_id, index)


def _meant(item: Json, referenced: Mapping[str, Json]) -> Json:
    if item.get("type") in (None, "item_reference") and "role" not in item:
        return referenced.get(str(item.get("id")), item)
    return item


def _listed(item: Json, response_id: str, index: int) -> dict[str, Any]:
    kind = item.get("type") or "message"
    own = f"{_PREFIXES.get(kind, 'item')}_{response_id.removeprefix('resp_')}i{index:04x}"
    listed = {**item, "type": kind, "id": item.get("id") or own}
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        text = "output_text" if item.get("role") == "assistant" else "input_text"
        listed["content"] = [{"type": text, "text": content}]
    return listed
