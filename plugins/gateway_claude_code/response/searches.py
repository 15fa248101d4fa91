"""The API's own searches of the web in the events of one answer. Pure.

platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool, "Response", "Citations" and
"Errors"; and server-tools, "Streaming server-tool events": a call streams like that of any tool, and
its result comes whole, in a block of its own.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.types import Citation, PartDelta, PartEnd, PartStart, Source, StreamEvent, WebSearch
from gateway_claude_code.request.web_search import NAME

CALL: Final = "server_tool_use"
RESULT: Final = "web_search_tool_result"


def is_search(block: Mapping[str, Any]) -> bool:
    """Whether a block is of a search, and not of another tool of the API, such as its code."""
    return block.get("type") == RESULT or (block.get("type") == CALL and block.get("name") == NAME)


class Searches:
    """Follows the searches of one answer, each a part from its call to its result."""

    def __init__(self) -> None:
        self._open: dict[int, WebSearch] = {}
        self._arguments: dict[int, list[str]] = {}

    def begin(self, index: int, block: Mapping[str, Any]) -> Iterator[StreamEvent]:
        """The events for a block of a search; see `is_search`."""
        if block["type"] == CALL:
            yield self._opened(index, str(block["id"]))
            given = block.get("input")
            self._arguments[index] = [json.dumps(given)] if given else []
            return
        call_id = str(block["tool_use_id"])
        found = next((i for i, search in self._open.items() if search.id == call_id), None)
        if found is None:  # put off in an earlier answer, for the sake of a client's tool
            yield self._opened(index, call_id)
            found = index
        search = self._open.pop(found)
        yield PartEnd(index=found, search=with_result(search, block.get("content")))

    def _opened(self, index: int, call_id: str) -> PartStart:
        self._open[index] = WebSearch(id=call_id)
        return PartStart(index=index, part=self._open[index])

    def takes(self, index: int) -> bool:
        """Whether the query of this block is not complete yet."""
        return index in self._arguments

    def add(self, index: int, delta: Mapping[str, Any]) -> None:
        """Take more of a query's JSON."""
        self._arguments[index].append(str(delta.get("partial_json", "")))

    def asked(self, index: int) -> Iterator[StreamEvent]:
        """The event for a query that is complete."""
        query = _query("".join(self._arguments.pop(index)))
        self._open[index] = replace(self._open[index], query=query)
        if query:
            yield PartDelta(index=index, text=query)

    def close(self) -> Iterator[StreamEvent]:
        """The ends of searches whose results did not come."""
        for index in sorted(self._open):
            yield PartEnd(index=index, search=self._open[index])
        self._open.clear()
        self._arguments.clear()


def _query(arguments: str) -> str:
    try:
        return str(json.loads(arguments)["query"])
    except (ValueError, LookupError, TypeError):
        return ""


def with_result(search: WebSearch, content: object) -> WebSearch:
    """The search with the content of its result: pages, none among them, or an error."""
    if isinstance(content, list):
        sources = [
            Source(url=str(page["url"]), title=page.get("title"))
            for page in content
            if isinstance(page, Mapping) and page.get("url")
        ]
        return replace(search, status="completed", sources=tuple(sources))
    code = content.get("error_code") if isinstance(content, Mapping) else None
    return replace(search, status="failed", error=str(code or "unavailable"))


def citation_of(given: object) -> Citation | None:
    """A citation of a page; None for one of anything else, such as a client's document."""
    if not isinstance(given, Mapping) or not isinstance(given.get("url"), str):
        return None
    return Citation(url=given["url"], title=given.get("title"), quoted=given.get("cited_text"))
