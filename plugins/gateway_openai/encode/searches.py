"""Citations and searches of an answer on the wire. Pure.

`annotations` are `openai.types.chat.chat_completion_message.Annotation` (openai-python 3.54).
`web_searches` is an extension, as the format has no place for what was searched, and for a search
that failed: each has `query`, `status`, `error` and the `sources` that were found.
"""

from collections.abc import Iterable
from typing import Any

from gateway.types import AnswerPart, Citation, PartCitation, PartEnd, Text, WebSearch


class SearchFields:
    """Collects what the events of one answer say of searches.

    openai-python's accumulator takes one list of `annotations` from a stream, so they come together
    at its end.
    """

    def __init__(self) -> None:
        self._length = 0
        self._starts: dict[int, int] = {}
        self._citations: dict[int, list[Citation]] = {}
        self._annotations: list[dict[str, Any]] = []
        self._searches: list[dict[str, Any]] = []

    def begin_text(self, index: int) -> None:
        """A text begins."""
        self._starts[index] = self._length

    def count(self, index: int, text: str) -> None:
        """Take the next piece of a part, if that is a text."""
        if index in self._starts:
            self._length += len(text)

    def cite(self, event: PartCitation) -> None:
        """Take a source of a text."""
        self._citations.setdefault(event.index, []).append(event.citation)

    def end(self, event: PartEnd) -> None:
        """Take the end of a part."""
        if event.search is not None:
            self._searches.append(_search(event.search))
        start, cited = self._starts.pop(event.index, None), self._citations.pop(event.index, ())
        if start is not None:
            self._annotations += [url_citation(one, start, self._length) for one in cited]

    def fields(self) -> dict[str, Any]:
        """As `search_fields` has them."""
        return _said(self._annotations, self._searches)


def search_fields(parts: Iterable[AnswerPart]) -> dict[str, Any]:
    """The fields of a message that are about searches; none without any."""
    cited, searched, start = [], [], 0
    for part in parts:
        if isinstance(part, WebSearch):
            searched.append(_search(part))
        elif isinstance(part, Text):
            end = start + len(part.text)
            cited += [url_citation(citation, start, end) for citation in part.citations]
            start = end
    return _said(cited, searched)


def _said(cited: list[dict[str, Any]], searched: list[dict[str, Any]]) -> dict[str, Any]:
    annotations = {"annotations": cited} if cited else {}
    return {**annotations, **({"web_searches": searched} if searched else {})}


def url_citation(citation: Citation, start: int, end: int) -> dict[str, Any]:
    """A page that is cited for `content[start:end]`, in characters (code points)."""
    place = {"start_index": start, "end_index": end}
    page = {"title": citation.title or citation.url, "url": citation.url}
    return {"type": "url_citation", "url_citation": {**place, **page}}


def _search(search: WebSearch) -> dict[str, Any]:
    sources = [{"url": source.url, "title": source.title} for source in search.sources]
    return {
        "id": search.id,
        "query": search.query,
        "status": search.status,
        "error": search.error,
        "sources": sources,
    }
