"""From the tool `web_search` to the hub's options of a search. Pure."""

from typing import Final

from gateway.types import UserLocation, WebSearchOptions
from gateway_openai_responses.wire.tools import Tool

_TYPES: Final = ("web_search", "web_search_preview")


def is_web_search(kind: str) -> bool:
    """Whether a tool is the search; types have dates of versions, as `web_search_2025_08_26`."""
    return kind in _TYPES or any(kind.startswith(f"{known}_2") for known in _TYPES)


def decode_web_search(
    tool: Tool, place: str, max_tool_calls: int | None
) -> WebSearchOptions | None:
    """The client's options; None where nothing may be searched, or only OpenAI's index of pages."""
    if tool.external_web_access is False or max_tool_calls == 0:
        return None
    near, filters = tool.user_location, tool.filters
    return WebSearchOptions(
        max_uses=max_tool_calls,
        context_size=tool.search_context_size,
        location=None
        if near is None
        else UserLocation(
            city=near.city, region=near.region, country=near.country, timezone=near.timezone
        ),
        allowed_domains=tuple((filters.allowed_domains if filters is not None else None) or ()),
        blocked_domains=tuple((filters.blocked_domains if filters is not None else None) or ()),
        place=place,
    )
