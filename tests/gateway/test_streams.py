"""Putting a whole answer together from its events."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from gateway.errors import BackendFailed, RateLimited
from gateway.streams import collect
from gateway.testing import answer, part, text_answer
from gateway.types import (
    ChatResponse,
    Citation,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    Source,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
    WebSearch,
)


async def stream(
    events: Sequence[StreamEvent | Exception], closed: list[str] | None = None
) -> AsyncGenerator[StreamEvent]:
    try:
        for event in events:
            if isinstance(event, Exception):
                raise event
            yield event
    finally:
        if closed is not None:
            closed.append("closed")


EMPTY_CALL = ToolCall(id="1", name="f", arguments="")
USAGE = Usage(input_tokens=3, output_tokens=2)

PAGE = Citation(url="https://a.example", title="A")
SEARCH = WebSearch(id="s", query="x", sources=(Source(url=PAGE.url),), status="completed")


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        pytest.param([], (), id="nothing"),
        pytest.param([part(0, Text(text=""), "a", "b")], (Text(text="ab"),), id="text"),
        pytest.param(
            [part(0, EMPTY_CALL, '{"a":', "1}")],
            (ToolCall(id="1", name="f", arguments='{"a":1}'),),
            id="a tool call",
        ),
        pytest.param(
            [part(0, EMPTY_CALL)],
            (ToolCall(id="1", name="f", arguments="{}"),),
            id="a tool call without arguments",
        ),
        pytest.param(
            [[*part(0, Thinking(text=""), "hm")[:-1], PartEnd(index=0, signature="s")]],
            (Thinking(text="hm", signature="s"),),
            id="thinking",
        ),
        pytest.param(
            [
                [
                    PartStart(index=0, part=Text(text="")),
                    PartCitation(index=0, citation=PAGE),
                    PartDelta(index=0, text="so"),
                    PartEnd(index=0),
                ]
            ],
            (Text(text="so", citations=(PAGE,)),),
            id="a text with a source",
        ),
        pytest.param(
            [
                [
                    PartStart(index=0, part=WebSearch(id="s")),
                    PartDelta(index=0, text="x"),
                    PartEnd(index=0, search=SEARCH),
                ]
            ],
            (SEARCH,),
            id="a search",
        ),
        pytest.param(
            [part(0, Text(text=""), "a"), [PartStart(index=1, part=WebSearch(id="s"))]],
            (Text(text="a"), WebSearch(id="s")),
            id="a search that was broken off",
        ),
        pytest.param(
            [part(0, Thinking(text="")), part(1, Text(text=""), "a"), part(2, EMPTY_CALL)],
            (Thinking(text=""), Text(text="a"), ToolCall(id="1", name="f", arguments="{}")),
            id="several, in order",
        ),
    ],
)
async def test_parts(parts: list[list[StreamEvent]], whole: tuple[object, ...]) -> None:
    assert (await collect(stream(answer(*parts)))).parts == whole


async def test_parts_may_be_interleaved() -> None:
    first, second = part(0, Text(text=""), "a", "b"), part(1, EMPTY_CALL, "{", "}")
    mixed: list[StreamEvent] = [event for pair in zip(first, second, strict=True) for event in pair]
    assert (await collect(stream(answer(mixed)))).parts == (
        Text(text="ab"),
        ToolCall(id="1", name="f", arguments="{}"),
    )


async def test_the_rest_of_the_answer() -> None:
    events: list[StreamEvent] = [
        ResponseStart(model="m"),
        UsageUpdate(usage=Usage(input_tokens=1)),
        UsageUpdate(usage=USAGE),
        ResponseEnd(stop_reason="stop_sequence", stop_sequence="END"),
    ]
    assert await collect(stream(events)) == ChatResponse(
        parts=(), stop_reason="stop_sequence", stop_sequence="END", usage=USAGE, model="m"
    )


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([], BackendFailed),
        (text_answer("a")[:-1], BackendFailed),
        ([PartDelta(index=7, text="x")], BackendFailed),
        ([RateLimited("later")], RateLimited),
    ],
)
async def test_what_is_no_whole_answer_is_an_error(
    events: list[StreamEvent], error: type[Exception]
) -> None:
    closed: list[str] = []
    with pytest.raises(error):
        await collect(stream(events, closed))
    assert closed == ["closed"]


async def test_the_stream_is_closed() -> None:
    closed: list[str] = []
    await collect(stream(text_answer("a"), closed))
    assert closed == ["closed"]


def test_usages_are_added() -> None:
    first = Usage(input_tokens=1, output_tokens=2, searches=1)
    second = Usage(input_tokens=3, cache_read_tokens=4, searches=2)
    together = Usage(input_tokens=4, cache_read_tokens=4, output_tokens=2, searches=3)
    assert first + second == together


def test_usage_adds_up() -> None:
    usage = Usage(input_tokens=1, cache_read_tokens=2, cache_write_tokens=4, output_tokens=8)
    assert (usage.prompt_tokens, usage.total_tokens) == (7, 15)
