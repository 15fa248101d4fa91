"""Answers as strategies for property tests, and as the SDK puts their streams together."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import anyio
from hypothesis import strategies as st
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from gateway.streams import collect
from gateway.testing import answer
from gateway.types import (
    ChatResponse,
    Citation,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    Source,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    WebSearch,
)
from gateway_openai_responses.encode.events import ResponseEncoder
from gateway_openai_responses.encode.response import ResponseForm
from gateway_openai_responses.tool_kinds import Offer
from tests.openai_responses.responses_support import sse_events

ECHOED = {
    "model": "m",
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}

OFFERS = {
    "f": Offer("function", "f"),
    "space__g": Offer("function", "g", "space"),
    "edit": Offer("custom", "edit"),
    "local_shell": Offer("local_shell", "local_shell"),
    "shell": Offer("shell", "shell"),
    "apply_patch": Offer("apply_patch", "apply_patch"),
    "tool_search": Offer("tool_search", "tool_search"),
}


def form_of(**fields: Any) -> ResponseForm:
    """A form with an id and a time of its own."""
    return ResponseForm(
        id=f"resp_{'0a' * 24}", created_at=1, echoed=ECHOED, offers=OFFERS, **fields
    )


texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
inputs = texts | st.sampled_from(
    ['{"input": "a\\n\\u00e9\\"b\\ud83d\\ude00"}', '{"input":""}', "{}"]
)
forms = st.builds(form_of, summary=st.booleans(), encrypted=st.booleans(), sources=st.booleans())
usages = st.builds(
    Usage,
    input_tokens=st.integers(0, 10**6),
    cache_read_tokens=st.integers(0, 10**6),
    output_tokens=st.integers(0, 10**6),
)
citations = st.builds(
    Citation, url=st.just("https://example.com/a"), title=st.none() | st.just("A")
)
stop_reasons = st.sampled_from(["end", "stop_sequence", "max_tokens", "tool_calls", "refusal"])


def _search(index: int, status: str) -> WebSearch:
    source = Source(url="https://example.com/a", title="A")
    return WebSearch(id=f"s{index}", query="q", sources=(source,), status=status)  # type: ignore[arg-type]


@st.composite
def _part(draw: st.DrawFn, index: int) -> list[StreamEvent]:
    kinds = (st.just("text"), st.just("thinking"), st.just("search"))
    kind = draw(st.one_of(*kinds, st.sampled_from(sorted(OFFERS))))
    if kind == "search":
        found = draw(
            st.none() | st.builds(_search, st.just(index), st.sampled_from(["completed", "failed"]))
        )
        start_search = PartStart(index=index, part=WebSearch(id=f"s{index}"))
        return [start_search, PartDelta(index=index, text="q"), PartEnd(index=index, search=found)]
    start: Text | Thinking | ToolCall = ToolCall(id=f"call{index}", name=kind, arguments="")
    if kind in ("text", "thinking"):
        start = Text(text="") if kind == "text" else Thinking(text="")
    text = draw(texts if kind in ("text", "thinking") else inputs)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    signature = draw(st.none() | st.just("signed")) if kind == "thinking" else None
    cited = st.lists(citations, max_size=2) if kind == "text" else st.just([])
    early, late = draw(cited), draw(cited)
    return [
        PartStart(index=index, part=start),
        *(PartCitation(index=index, citation=each) for each in early),
        *(PartDelta(index=index, text=piece) for piece in pieces),
        *(PartCitation(index=index, citation=each) for each in late),
        PartEnd(index=index, signature=signature),
    ]


@st.composite
def answers(draw: st.DrawFn) -> list[StreamEvent]:
    """The events of an answer, divided anyhow."""
    parts = [draw(_part(index)) for index in range(draw(st.integers(0, 4)))]
    events = answer(*parts, stop_reason=draw(stop_reasons), usage=draw(usages))
    for event in [each for each in events if isinstance(each, PartEnd) and each.search]:
        if draw(st.booleans()):  # the result comes when other parts have begun
            events.remove(event)
            events.insert(-2, event)
    return events


def whole(events: Sequence[StreamEvent]) -> ChatResponse:
    """The answer put together."""

    async def stream() -> AsyncGenerator[StreamEvent]:
        for event in events:
            yield event

    async def read() -> ChatResponse:
        return await collect(stream())

    return anyio.run(read)


def streamed(encoder: ResponseEncoder, events: Sequence[StreamEvent]) -> list[dict[str, Any]]:
    """The data of each event on the wire; its name is its type."""
    text = b"".join(encoder.encode(0, event) for event in events) + encoder.finish()
    data = []
    for name, each in sse_events(text.decode()):
        assert each["type"] == name
        data.append(each)
    return data


_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def folded(
    events: Sequence[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The items that the SDK's own accumulator has at the end: of the deltas, and as they ended."""
    state: Any = ResponseStreamState(input_tools=[], text_format=omit)
    for event in events:
        state.handle_event(_EVENT.validate_python(event))
    snapshot = state._ResponseStreamState__current_snapshot
    delivered = [item.to_dict() for item in snapshot.output]
    ended = [item.to_dict() for _, item in sorted(state._completed_output.items())]
    return delivered, ended
