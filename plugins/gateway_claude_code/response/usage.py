"""The API's counts of one answer, as the hub's `Usage`. Pure."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from gateway.types import Usage


def updated(before: Usage, usage: Mapping[str, Any]) -> Usage:
    """The usage of a message with newer counts, which are cumulative (the page on streaming)."""
    details = usage.get("output_tokens_details") or {}  # in the last `message_delta` only
    server = usage.get("server_tool_use") or {}
    return Usage(
        input_tokens=_number(usage, "input_tokens", before.input_tokens),
        cache_read_tokens=_number(usage, "cache_read_input_tokens", before.cache_read_tokens),
        cache_write_tokens=_number(usage, "cache_creation_input_tokens", before.cache_write_tokens),
        output_tokens=_number(usage, "output_tokens", before.output_tokens),
        reasoning_tokens=_number(details, "thinking_tokens", before.reasoning_tokens),
        # "Usage and pricing" on the page on the web search tool
        searches=_number(server, "web_search_requests", before.searches),
    )


def together(earlier: Usage, usage: Usage) -> Usage:
    """The usage of several messages."""
    return Usage(
        **{
            field.name: getattr(earlier, field.name) + getattr(usage, field.name)
            for field in fields(Usage)
        }
    )


def _number(values: Mapping[str, Any], key: str, otherwise: int) -> int:
    """A count. Counts only grow: a later zero is that of a gateway which does not know it."""
    value = values.get(key)
    return value if isinstance(value, int) and value > 0 else otherwise
