"""What holds for every answer: streamed and whole say the same, however the events are divided."""

from collections.abc import AsyncGenerator
from typing import Any

import anyio
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.streams import collect
from gateway.testing import answer, part
from gateway.types import (
    ChatResponse,
    PartDelta,
    PartEnd,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)
from gateway_openai.encode.chat import AnswerFormat, encode_completion
from gateway_openai.encode.chat_chunks import ChunkEncoder
from gateway_openai.encode.completions import CompletionEncoding
from tests.openai.openai_support import sse_data

FORM = AnswerFormat(id="chatcmpl-1", created=1, model="m", include_usage=True)
LEGACY = AnswerFormat(
    id="chatcmpl-1", created=1, model="m", include_usage=True, legacy_functions=True
)

kinds = st.sampled_from(["text", "thinking", "call"])
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
answer_parts = st.lists(st.tuples(kinds, texts), max_size=4)
stop_reasons = st.sampled_from(["end", "stop_sequence", "max_tokens", "tool_calls", "refusal"])
token_counts = st.integers(min_value=0, max_value=10**6)
usages = st.builds(
    Usage, input_tokens=token_counts, cache_read_tokens=token_counts, output_tokens=token_counts
)


def start_of(kind: str, index: int) -> Text | Thinking | ToolCall:
    match kind:
        case "text":
            return Text(text="")
        case "thinking":
            return Thinking(text="")
        case _:
            return ToolCall(id=f"call{index}", name=f"f{index}")


@st.composite
def divided(draw: st.DrawFn, text: str) -> list[str]:
    """A text in pieces, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=5)))
    ends = [*cuts, len(text)]
    return [text[start:end] for start, end in zip([0, *cuts], ends, strict=True)]


@st.composite
def answers(draw: st.DrawFn) -> list[StreamEvent]:
    """The events of an answer, divided anyhow, with updates of the usage between them."""
    parts = draw(answer_parts)
    events = answer(
        *(
            part(index, start_of(kind, index), *draw(divided(text)))
            for index, (kind, text) in enumerate(parts)
        ),
        stop_reason=draw(stop_reasons),
        usage=draw(usages),
    )
    for usage in draw(st.lists(usages, max_size=3)):
        # Before the last update, which counts, and after the start.
        place = draw(st.integers(1, len(events) - 2))
        events.insert(place, UsageUpdate(usage=usage))
    return events


def whole(events: list[StreamEvent]) -> ChatResponse:
    async def stream() -> AsyncGenerator[StreamEvent]:
        for event in events:
            yield event

    async def read() -> ChatResponse:
        return await collect(stream())

    return anyio.run(read)


def joined(events: list[StreamEvent]) -> list[StreamEvent]:
    """The same answer with each part's text in one piece."""
    pieces: dict[int, str] = {}
    found: list[StreamEvent] = []
    for event in events:
        match event:
            case PartDelta():
                pieces[event.index] = pieces.get(event.index, "") + event.text
            case PartEnd():
                found.append(PartDelta(index=event.index, text=pieces.get(event.index, "")))
                found.append(event)
            case _:
                found.append(event)
    return found


def chunks_of(encoder: Any, events: list[StreamEvent]) -> list[Any]:
    stream = b"".join(encoder.encode(0, event) for event in events) + encoder.finish()
    *chunks, done = sse_data(stream.decode())
    assert done == "[DONE]"
    return chunks


def put_together_by_the_sdk(events: list[StreamEvent], form: AnswerFormat) -> dict[str, Any]:
    """What openai's own accumulator makes of the chunks."""
    state: Any = ChatCompletionStreamState()
    for chunk in chunks_of(ChunkEncoder(form, 1), events):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk, strict=True))
    snapshot: dict[str, Any] = state.current_completion_snapshot.to_dict()
    return snapshot


def essence(completion: dict[str, Any]) -> dict[str, Any]:
    """What a program acts on; "nothing" has several forms that mean the same."""
    (choice,) = completion["choices"]
    message = choice["message"]
    calls = [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or []
    ]
    function = message.get("function_call")
    return {
        "content": message.get("content") or "",
        "reasoning": message.get("reasoning_content") or "",
        "calls": calls,
        "function": function and (function["name"], function["arguments"]),
        "finish_reason": choice["finish_reason"],
        "usage": completion["usage"],
        "id": completion["id"],
    }


@given(events=answers())
def test_the_division_into_events_makes_no_difference(events: list[StreamEvent]) -> None:
    assert whole(events) == whole(joined(events))


@given(events=answers(), form=st.sampled_from([FORM, LEGACY]))
def test_a_stream_says_the_same_as_the_whole_answer(
    events: list[StreamEvent], form: AnswerFormat
) -> None:
    completion = encode_completion([whole(events)], form)
    assert ChatCompletion.model_validate(completion, strict=True)
    assert essence(put_together_by_the_sdk(events, form)) == essence(completion)


@given(events=answers(), echo=st.booleans())
def test_a_stream_of_text_says_the_same_as_the_whole_text(
    events: list[StreamEvent], echo: bool
) -> None:
    encoding = CompletionEncoding(
        id="cmpl-1", created=1, model="m", prompts=("Once",), echo=echo, include_usage=True
    )
    completion = encoding.whole([whole(events)])
    assert Completion.model_validate(completion, strict=True)
    *chunks, last = chunks_of(encoding.stream(1), events)
    # Null in every chunk but the last, as OpenAI has it, though the SDK's type has no null.
    choices = [chunk["choices"][0] for chunk in chunks]
    reasons = [choice["finish_reason"] for choice in choices]
    assert "".join(choice["text"] for choice in choices) == completion["choices"][0]["text"]
    assert reasons == [None] * (len(choices) - 1) + [completion["choices"][0]["finish_reason"]]
    assert last["usage"] == completion["usage"]
