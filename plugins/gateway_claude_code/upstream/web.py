"""The stand-in's web: its pages, and what the API tells of them."""

import hashlib
from typing import Any

from gateway_claude_code.upstream.request import JsonObject


def title_of(url: str) -> str:
    """The title of a page."""
    return f"Page {url.rpartition('/')[2] or url}"


def sealed(url: str) -> str:
    """A page as the API returns it, to be sent back unmodified."""
    return "sealed-" + hashlib.sha256(url.encode()).hexdigest()[:24]


def found(url: str) -> dict[str, Any]:
    """A page among the results of a search.

    platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool, "Search results".
    """
    return {
        "type": "web_search_result",
        "url": url,
        "title": title_of(url),
        "encrypted_content": sealed(url),
        "page_age": None,
    }


def cited(url: str, quoted: str = "as it says there") -> JsonObject:
    """A citation of a page: "Citations" on the same page."""
    return {
        "type": "web_search_result_location",
        "url": url,
        "title": title_of(url),
        "encrypted_index": sealed(url),
        "cited_text": quoted,
    }
