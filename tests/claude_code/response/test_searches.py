"""The API's own searches of the web: parts of the answer, and sources of its texts."""

from typing import Any

import pytest

from gateway.streams import AnswerBuilder
from gateway.types import (
    Citation,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    Source,
    StreamEvent,
    Text,
    ToolCall,
    Usage,
    UsageUpdate,
    WebSearch,
)
from gateway_claude_code.upstream import (
    Answer,
    SearchBlock,
    SearchResultBlock,
    TextBlock,
    ToolUseBlock,
    cited,
    web_search,
)
from gateway_claude_code.upstream import Usage as UpstreamUsage
from gateway_claude_code.upstream.events import message_events
from tests.claude_code.response.event_support import Event, Reading, a_schema, read

A, B = "https://a.example/1", "https://b.example/2"


def events_of(*blocks: Any, **fields: Any) -> list[Event]:
    return list(message_events(Answer(blocks=blocks, **fields), "claude-test"))


def parts_of(events: list[StreamEvent]) -> tuple[object, ...]:
    builder = AnswerBuilder()
    for event in events:
        builder.add(event)
    return builder.parts()


def test_a_search_is_a_part_from_its_call_to_its_result() -> None:
    search, result = web_search("the news", A, B)
    events = [e for e in read(*events_of(search, result)) if hasattr(e, "index")]
    sources = (Source(url=A, title="Page 1"), Source(url=B, title="Page 2"))
    whole = WebSearch(id=search.id, query="the news", sources=sources, status="completed")
    assert events == [
        PartStart(index=0, part=WebSearch(id=search.id)),
        PartDelta(index=0, text="the news"),
        PartEnd(index=0, search=whole),
    ]


@pytest.mark.parametrize(
    ("given", "status", "error"),
    [
        (web_search("x", error="max_uses_exceeded"), "failed", "max_uses_exceeded"),
        (web_search("x"), "completed", None),  # no page matched
        ((SearchBlock("x"),), "incomplete", None),
    ],
)
def test_how_a_search_ends(given: Any, status: str, error: str | None) -> None:
    (found,) = parts_of(read(*events_of(*given)))
    assert isinstance(found, WebSearch)
    assert (found.query, found.status, found.error) == ("x", status, error)


def test_a_text_has_its_citations_as_a_whole() -> None:
    text = TextBlock("It is so", citations=(cited(A, "it is"), cited(B)))
    events = read(*events_of(*web_search("x", A, B), TextBlock("Well: "), text))
    citation = Citation(url=A, title="Page 1", quoted="it is")
    assert PartCitation(index=3, citation=citation) in events
    *_, last = parts_of(events)
    assert isinstance(last, Text)
    assert (last.text, [one.url for one in last.citations]) == ("It is so", [A, B])


def test_citations_of_anything_but_pages_are_left_out() -> None:
    of_a_document = {"type": "char_location", "document_index": 0, "cited_text": "x"}
    events = read(*events_of(TextBlock("So", citations=(of_a_document,))))
    assert not any(isinstance(event, PartCitation) for event in events)


def test_an_answer_by_a_schema_has_no_citations() -> None:
    events = read(*events_of(TextBlock('{"a":1}', citations=(cited(A),))), answer=a_schema())
    assert not any(isinstance(event, PartCitation) for event in events)


def test_a_search_that_was_put_off_ends_beside_the_call_of_a_clients_tool() -> None:
    search = SearchBlock("later")
    found = parts_of(read(*events_of(search, ToolUseBlock("mcp__t__get_time"))))
    assert [type(part) for part in found] == [WebSearch, ToolCall]
    assert found[0] == WebSearch(id=search.id, query="later", status="incomplete")


def test_a_result_without_its_call_is_a_search_all_the_same() -> None:
    (found,) = parts_of(read(*events_of(SearchResultBlock("srvtoolu_1", (A,)))))
    source = Source(url=A, title="Page 1")
    assert found == WebSearch(id="srvtoolu_1", sources=(source,), status="completed")


def test_a_query_that_is_sent_at_once_is_read_too() -> None:
    call = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    reading = Reading(
        {"type": "message_start", "message": {}},
        {"type": "content_block_start", "index": 0, "content_block": call},
        {"type": "content_block_stop", "index": 0},
    )
    assert reading.events[-1] == PartDelta(index=0, text="x")


def test_other_tools_of_the_api_are_no_parts() -> None:
    """A search that filters its results runs code, in blocks around the search."""
    code = {"type": "server_tool_use", "id": "s", "name": "code_execution", "input": {}}
    result = {"type": "code_execution_tool_result", "tool_use_id": "s", "content": {}}
    for block in (code, result):
        assert read({"type": "content_block_start", "index": 0, "content_block": block}) == []


def test_searches_are_counted() -> None:
    usage = UpstreamUsage(input_tokens=5, output_tokens=7, searches=2)
    events = read(*events_of(TextBlock("So"), usage=usage))
    counted = Usage(input_tokens=5, output_tokens=7, searches=2)
    assert [e.usage for e in events if isinstance(e, UsageUpdate)][-1] == counted


def test_a_paused_turn_is_not_a_whole_answer() -> None:
    *_, last = read(*events_of(SearchBlock("x"), stop_reason="pause_turn"))
    assert last == ResponseEnd(stop_reason="max_tokens")
