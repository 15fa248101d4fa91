"""From the hub's events to the chunks of a stream."""

from dataclasses import replace
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from gateway.errors import BackendFailed
from gateway.testing import answer, part
from gateway.types import (
    PartDelta,
    PartEnd,
    ResponseEnd,
    ResponseStart,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from gateway_openai.encode.chat import AnswerFormat
from gateway_openai.encode.chat_chunks import ChunkEncoder
from tests.openai.openai_support import sse_data

FORM = AnswerFormat(id="chatcmpl-1", created=1_700_000_000, model="asked-for")
CALL = ToolCall(id="a1", name="f")


def chunks(events: list[StreamEvent], form: AnswerFormat = FORM) -> list[Any]:
    encoder = ChunkEncoder(form, 1)
    stream = b"".join(encoder.encode(0, event) for event in events) + encoder.finish()
    *data, done = sse_data(stream.decode())
    assert done == "[DONE]"
    for chunk in data:
        ChatCompletionChunk.model_validate(chunk, strict=True)
    return data


def deltas(events: list[StreamEvent], form: AnswerFormat = FORM) -> list[Any]:
    return [chunk["choices"][0]["delta"] for chunk in chunks(events, form)]


ROLE = {"role": "assistant", "content": ""}


def test_a_whole_stream() -> None:
    common = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "asked-for",
    }
    data = chunks(answer(part(0, Text(text=""), "Hel", "lo")))
    assert {chunk.pop("system_fingerprint").startswith("fp_dragoman") for chunk in data} == {True}
    assert data == [
        {**common, "choices": [{"index": 0, "delta": delta, "logprobs": None, **finish}]}
        for delta, finish in [
            (ROLE, {"finish_reason": None}),
            ({"content": "Hel"}, {"finish_reason": None}),
            ({"content": "lo"}, {"finish_reason": None}),
            ({}, {"finish_reason": "stop"}),
        ]
    ]


def test_each_delta_is_sent_as_it_comes() -> None:
    encoder = ChunkEncoder(FORM, 1)
    sent = [encoder.encode(0, event) for event in answer(part(0, Text(text=""), "a", "", "b"))]
    assert [piece.count(b"data: ") for piece in sent] == [1, 0, 1, 0, 1, 0, 0, 1]


@pytest.mark.parametrize("text", ['"quoted"', "line\nbreak", "日本", "\u2028", "\0", "\U0001f600"])
def test_text_survives(text: str) -> None:
    assert deltas(answer(part(0, Text(text=""), text)))[1] == {"content": text}


@pytest.mark.parametrize("model", ["\0", 'a"b', "日本"])
def test_a_strange_name_of_a_model_survives(model: str) -> None:
    data = chunks(answer(part(0, Text(text=""), "a")), replace(FORM, model=model))
    assert {chunk["model"] for chunk in data} == {model}
    assert data[1]["choices"][0]["delta"] == {"content": "a"}


def test_tool_calls() -> None:
    events = answer(
        part(0, Text(text=""), "Let me see."),
        part(1, CALL, '{"x"', ":1}"),
        part(2, ToolCall(id="a2", name="g"), "{}"),
        stop_reason="tool_calls",
    )
    assert deltas(events) == [
        ROLE,
        {"content": "Let me see."},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "a1",
                    "type": "function",
                    "function": {"name": "f", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "a2",
                    "type": "function",
                    "function": {"name": "g", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]


@pytest.mark.parametrize("pieces", [(), ("",)])
def test_a_call_without_arguments_gets_an_empty_object(pieces: tuple[str, ...]) -> None:
    events = answer(part(0, CALL, *pieces), stop_reason="tool_calls")
    assert deltas(events)[2] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}


def test_a_legacy_function_call_and_no_second_one() -> None:
    form = replace(FORM, legacy_functions=True)
    events = answer(
        part(0, CALL, "{", "}"),
        part(1, ToolCall(id="a2", name="g"), "{}"),
        part(2, ToolCall(id="a3", name="h")),
        stop_reason="tool_calls",
    )
    assert deltas(events, form) == [
        ROLE,
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{"}},
        {"function_call": {"arguments": "}"}},
        {},
    ]
    assert chunks(events, form)[-1]["choices"][0]["finish_reason"] == "function_call"


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [
        ("reasoning_content", [{"reasoning_content": "hm"}]),
        ("reasoning", [{"reasoning": "hm"}]),
        ("off", []),
    ],
)
def test_thinking(thinking: Any, expected: list[Any]) -> None:
    events = answer(part(0, Thinking(text=""), "hm"))
    assert deltas(events, replace(FORM, thinking=thinking)) == [ROLE, *expected, {}]


def test_usage_comes_last_and_is_null_before() -> None:
    events = answer(part(0, Text(text=""), "a"), usage=Usage(input_tokens=3, output_tokens=2))
    data = chunks(events, replace(FORM, include_usage=True))
    assert [chunk["usage"] for chunk in data[:-1]] == [None] * 3
    assert data[-1]["choices"] == []
    assert data[-1]["usage"]["total_tokens"] == 5


def test_usage_that_nobody_asked_for_is_not_there() -> None:
    assert {"usage" in chunk for chunk in chunks(answer(part(0, Text(text=""), "a")))} == {False}


def test_the_choices_of_a_stream_have_their_own_indexes_and_calls() -> None:
    encoder = ChunkEncoder(FORM, 2)
    events = answer(part(0, CALL, "{}"), stop_reason="tool_calls")
    stream = b"".join(encoder.encode(choice, event) for event in events for choice in (0, 1))
    data = sse_data(stream.decode())
    assert [chunk["choices"][0]["index"] for chunk in data] == [0, 1] * 4
    assert data[2]["choices"][0]["delta"] == data[3]["choices"][0]["delta"]


def test_an_answer_that_begins_without_a_start_has_its_role_first() -> None:
    events = answer(part(0, Text(text=""), "a"))[1:]
    assert deltas(events)[:2] == [ROLE, {"content": "a"}]


def test_ends_of_text_say_nothing() -> None:
    encoder = ChunkEncoder(FORM, 1)
    for event in answer(part(0, Text(text=""), "a"))[:3]:
        encoder.encode(0, event)
    assert encoder.encode(0, PartEnd(index=0)) == b""
    assert encoder.encode(0, PartDelta(index=0, text="")) == b""


def test_an_error_is_the_envelope() -> None:
    assert sse_data(ChunkEncoder(FORM, 1).fail(BackendFailed("it died")).decode()) == [
        {
            "error": {
                "message": "it died",
                "type": "server_error",
                "param": None,
                "code": "backend_error",
            }
        }
    ]


def test_the_words_of_a_refusal_come_before_its_end() -> None:
    ended = ResponseEnd(stop_reason="refusal", refusal="Not this.")
    assert deltas([ResponseStart(), ended]) == [ROLE, {"refusal": "Not this."}, {}]
