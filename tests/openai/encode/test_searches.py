"""Citations and searches of an answer on the wire, whole and streamed."""

import functools
from typing import Any

import pytest
from openai.lib.streaming._deltas import accumulate_delta
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.streams import AnswerBuilder
from gateway.testing import answer
from gateway.types import (
    Citation,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    Source,
    StreamEvent,
    Text,
    Usage,
    WebSearch,
)
from gateway_openai.encode.chat import AnswerFormat, encode_completion
from gateway_openai.encode.chat_chunks import ChunkEncoder
from tests.openai.openai_support import sse_data

FORM = AnswerFormat(id="chatcmpl-1", created=1_700_000_000, model="asked-for", include_usage=True)
A = Citation(url="https://a.example/1", title="A", quoted="so")
B = Citation(url="https://b.example/2")
FOUND = WebSearch(id="s1", query="x", sources=(Source(url=A.url, title="A"),), status="completed")
FAILED = WebSearch(id="s2", query="y", status="failed", error="max_uses_exceeded")


def search(index: int, whole: WebSearch) -> list[StreamEvent]:
    return [
        PartStart(index=index, part=WebSearch(id=whole.id)),
        PartDelta(index=index, text=whole.query),
        PartEnd(index=index, search=whole),
    ]


def text(index: int, *pieces: str, cites: tuple[Citation, ...] = ()) -> list[StreamEvent]:
    return [
        PartStart(index=index, part=Text(text="")),
        *(PartCitation(index=index, citation=citation) for citation in cites),
        *(PartDelta(index=index, text=piece) for piece in pieces),
        PartEnd(index=index),
    ]


SEARCHED = [
    *text(0, "Let me look."),
    *search(1, FOUND),
    *search(2, FAILED),
    *text(3, " It is "),
    *text(4, "so", "!", cites=(A, B)),
    *text(5, " And "),
    *text(6, "thus\U0001f600", cites=(A,)),
]


def cites(start: int, end: int, url: str, title: str) -> dict[str, Any]:
    place = {"start_index": start, "end_index": end, "title": title, "url": url}
    return {"type": "url_citation", "url_citation": place}


FIELDS = {
    "annotations": [
        cites(19, 22, A.url, "A"),
        cites(19, 22, B.url, B.url),
        cites(27, 32, A.url, "A"),
    ],
    "web_searches": [
        {
            "id": "s1",
            "query": "x",
            "status": "completed",
            "error": None,
            "sources": [{"url": A.url, "title": "A"}],
        },
        {
            "id": "s2",
            "query": "y",
            "status": "failed",
            "error": "max_uses_exceeded",
            "sources": [],
        },
    ],
}


def whole(*events: StreamEvent) -> Any:
    builder = AnswerBuilder()
    for event in answer(list(events), usage=Usage(searches=2)):
        builder.add(event)
    completion = encode_completion([builder.build()], FORM)
    ChatCompletion.model_validate(completion, strict=True)
    return completion


def streamed(*events: StreamEvent) -> list[Any]:
    encoder = ChunkEncoder(FORM, 1)
    sent = [encoder.encode(0, event) for event in answer(list(events), usage=Usage(searches=2))]
    *data, _ = sse_data((b"".join(sent) + encoder.finish()).decode())
    for chunk in data:
        ChatCompletionChunk.model_validate(chunk, strict=True)
    return data


def test_a_whole_answer() -> None:
    message = whole(*SEARCHED)["choices"][0]["message"]
    assert message["content"] == "Let me look. It is so! And thus\U0001f600"
    assert {name: message[name] for name in FIELDS} == FIELDS
    at = message["annotations"][0]["url_citation"]
    assert message["content"][at["start_index"] : at["end_index"]] == "so!"


def test_in_a_stream_they_come_together_before_the_end() -> None:
    deltas = [chunk["choices"][0]["delta"] for chunk in streamed(*SEARCHED) if chunk["choices"]]
    assert deltas[-2:] == [FIELDS, {}]
    assert not any("annotations" in delta for delta in deltas[:-2])


def test_a_streams_deltas_sum_up_to_the_whole() -> None:
    """By openai-python's own accumulator, which takes one list without indexes."""
    deltas = [chunk["choices"][0]["delta"] for chunk in streamed(*SEARCHED) if chunk["choices"]]
    found = functools.reduce(accumulate_delta, deltas, {})
    message = whole(*SEARCHED)["choices"][0]["message"]
    assert {name: message[name] for name in found} == found


@pytest.mark.parametrize("events", [text(0, "Hi"), []])
def test_an_answer_without_a_search_is_as_before(events: list[StreamEvent]) -> None:
    message = whole(*events)["choices"][0]["message"]
    assert (message["annotations"], "web_searches" in message) == ([], False)
    assert not any("annotations" in str(chunk) for chunk in streamed(*events))


def test_searches_are_in_the_usage() -> None:
    expected = {"web_search_requests": 2}
    assert whole(*SEARCHED)["usage"]["server_tool_use"] == expected
    assert streamed(*SEARCHED)[-1]["usage"]["server_tool_use"] == expected
