"""From the hub's answer to the wire, whole."""

from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from gateway.types import ChatResponse, StopReason, Text, Thinking, ToolCall, Usage
from gateway_openai.encode.chat import (
    REFUSED,
    AnswerFormat,
    ThinkingField,
    completion_id,
    encode_completion,
)

FORM = AnswerFormat(id="chatcmpl-1", created=1_700_000_000, model="asked-for")
LEGACY = AnswerFormat(
    id="chatcmpl-1", created=1_700_000_000, model="asked-for", legacy_functions=True
)
CALL = ToolCall(id="a1", name="f", arguments='{"x":1}')


def response(*parts: Text | Thinking | ToolCall, **fields: Any) -> ChatResponse:
    return ChatResponse(parts=parts, **{"stop_reason": "end", **fields})


def message(*parts: Text | Thinking | ToolCall, form: AnswerFormat = FORM) -> dict[str, Any]:
    completion = encode_completion([response(*parts)], form)
    ChatCompletion.model_validate(completion, strict=True)
    encoded: dict[str, Any] = completion["choices"][0]["message"]
    return encoded


def test_a_whole_answer() -> None:
    usage = Usage(
        input_tokens=1,
        cache_read_tokens=20,
        cache_write_tokens=300,
        output_tokens=7,
        reasoning_tokens=4,
    )
    completion = encode_completion([response(Text(text="Hello"), usage=usage)], FORM)
    ChatCompletion.model_validate(completion, strict=True)
    assert completion.pop("system_fingerprint").startswith("fp_dragoman")
    assert completion == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "asked-for",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello",
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 321,
            "completion_tokens": 7,
            "total_tokens": 328,
            "prompt_tokens_details": {
                "cached_tokens": 20,
                "cache_write_tokens": 300,
                "audio_tokens": 0,
            },
            "completion_tokens_details": {
                "reasoning_tokens": 4,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
    }


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ((), ""),
        ((Text(text=""),), ""),
        ((Text(text="a"), Text(text="b")), "ab"),
        ((Text(text="a"), CALL), "a"),
        ((CALL,), None),
        ((Text(text=""), CALL), None),
        ((Thinking(text="hm"),), ""),
    ],
)
def test_content(parts: tuple[Text | Thinking | ToolCall, ...], content: str | None) -> None:
    assert message(*parts)["content"] == content


def test_tool_calls() -> None:
    assert message(CALL)["tool_calls"] == [
        {"id": "a1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    ]


def test_without_calls_there_is_no_field_for_them() -> None:
    assert "tool_calls" not in message(Text(text="a"))
    assert "function_call" not in message(Text(text="a"), form=LEGACY)


def test_a_legacy_function_call() -> None:
    encoded = message(CALL, form=LEGACY)
    assert encoded["function_call"] == {"name": "f", "arguments": '{"x":1}'}
    assert "tool_calls" not in encoded


@pytest.mark.parametrize(
    ("thinking", "fields"),
    [
        ("reasoning_content", {"reasoning_content": "hmhm"}),
        ("reasoning", {"reasoning": "hmhm"}),
        ("off", {}),
    ],
)
def test_thinking(thinking: ThinkingField, fields: dict[str, str]) -> None:
    form = AnswerFormat(id="chatcmpl-1", created=1, model="m", thinking=thinking)
    encoded = message(Thinking(text="hm"), Thinking(text="hm"), Text(text="a"), form=form)
    assert {key: value for key, value in encoded.items() if key.startswith("reason")} == fields


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason", "legacy"),
    [
        ("end", "stop", "stop"),
        ("stop_sequence", "stop", "stop"),
        ("max_tokens", "length", "length"),
        ("tool_calls", "tool_calls", "function_call"),
        ("refusal", "content_filter", "content_filter"),
    ],
)
def test_finish_reason(stop_reason: StopReason, finish_reason: str, legacy: str) -> None:
    answer = [response(stop_reason=stop_reason)]
    assert encode_completion(answer, FORM)["choices"][0]["finish_reason"] == finish_reason
    assert encode_completion(answer, LEGACY)["choices"][0]["finish_reason"] == legacy


def test_several_choices_share_one_prompt() -> None:
    responses = [
        response(Text(text="a"), usage=Usage(input_tokens=10, output_tokens=2)),
        response(Text(text="b"), usage=Usage(cache_read_tokens=10, output_tokens=3)),
    ]
    completion = encode_completion(responses, FORM)
    assert [choice["index"] for choice in completion["choices"]] == [0, 1]
    assert completion["usage"]["prompt_tokens"] == 10
    assert completion["usage"]["completion_tokens"] == 5
    assert completion["usage"]["total_tokens"] == 15


def test_ids_differ() -> None:
    assert completion_id() != completion_id()
    assert len(completion_id()) == len("chatcmpl-") + 32


@pytest.mark.parametrize(("words", "refusal"), [("Not this.", "Not this."), (None, REFUSED)])
@pytest.mark.parametrize(("parts", "content"), [([], None), ([Text(text="I")], "I")])
def test_a_refusal(words: str | None, refusal: str, parts: list[Text], content: str | None) -> None:
    refused = response(*parts, stop_reason="refusal", refusal=words)
    completion = encode_completion([refused], FORM)
    ChatCompletion.model_validate(completion, strict=True)
    (choice,) = completion["choices"]
    assert (choice["message"]["content"], choice["message"]["refusal"]) == (content, refusal)
    assert choice["finish_reason"] == "content_filter"
