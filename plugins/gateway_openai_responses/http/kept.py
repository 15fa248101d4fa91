"""Responses that are kept, as they are returned and listed. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.errors import InvalidRequest
from gateway_openai_responses.encode.items import visible
from gateway_openai_responses.store.record import Json, Record
from gateway_openai_responses.wire.request import ENCRYPTED

MOST_LISTED: Final = 100
USUALLY_LISTED: Final = 20


def response_object(record: Record, include: Sequence[str]) -> dict[str, Any]:
    """`openai.types.responses.Response`."""
    encrypted = ENCRYPTED in include
    output = [visible(item, encrypted=encrypted) for item in record.output]
    return {**record.response, "output": output}


def page(items: Sequence[Json], query: Mapping[str, str], include: Sequence[str]) -> dict[str, Any]:
    """`openai.types.responses.ResponseItemList`: some items, the newest first unless asked otherwise.

    `query` may have `after` (an id), `limit` (1 to 100), and `order` (`asc` or `desc`). Raises
    `InvalidRequest`.
    """
    limit, order = _limit(query), query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise InvalidRequest("'order' must be 'asc' or 'desc'.", param="order")
    ordered = list(items) if order == "asc" else list(reversed(items))
    start = _after(ordered, query.get("after"))
    listed = ordered[start : start + limit]
    encrypted = ENCRYPTED in include
    return {
        "object": "list",
        "data": [visible(item, encrypted=encrypted) for item in listed],
        "first_id": listed[0].get("id") if listed else None,
        "last_id": listed[-1].get("id") if listed else None,
        "has_more": start + limit < len(ordered),
    }


def _limit(query: Mapping[str, str]) -> int:
    given = query.get("limit", str(USUALLY_LISTED))
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given[:9]) <= MOST_LISTED:
        raise InvalidRequest(f"'limit' must be a number from 1 to {MOST_LISTED}.", param="limit")
    return int(given)


def _after(items: Sequence[Json], item_id: str | None) -> int:
    if item_id is None:
        return 0
    for index, item in enumerate(items):
        if item.get("id") == item_id:
            return index + 1
    raise InvalidRequest(f"No item with the id {item_id[:100]!r}.", param="after")
