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
    PartDelta,
    PartEnd,
    PartStart,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
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
forms = st.builds(form_of, summary=st.booleans(), encrypted=st.booleans())
usages = st.builds(
    Usage,
    input_tokens=st.integers(0, 10**6),
    cache_read_tokens=st.integers(0, 10**6),
    output_tokens=st.integers(0, 10**6),
)
stop_reasons = st.sampled_from(["end", "stop_sequence", "max_tokens", "tool_calls", "refusal"])


@st.composite
def _part(draw: st.DrawFn, index: int) -> list[StreamEvent]:
    kinds = (st.just("text"), st.just("thinking"), st.sampled_from(sorted(OFFERS)))
    kind = draw(st.one_of(*kinds))
    start: Text | Thinking | ToolCall = ToolCall(id=f"call{index}", name=kind, arguments="")
    if kind in ("text", "thinking"):
        start = Text(text="") if kind == "text" else Thinking(text="")
    text = draw(texts if kind in ("text", "thinking") else inputs)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    signature = draw(st.none() | st.just("signed")) if kind == "thinking" else None
    return [
        PartStart(index=index, part=start),
        *(PartDelta(index=index, text=piece) for piece in pieces),
        PartEnd(index=index, signature=signature),
    ]


@st.composite
def answers(draw: st.DrawFn) -> list[StreamEvent]:
    """The events of an answer, divided anyhow."""
    parts = [draw(_part(index)) for index in range(draw(st.integers(0, 4)))]
    return answer(*parts, stop_reason=draw(stop_reasons), usage=draw(usages))


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
