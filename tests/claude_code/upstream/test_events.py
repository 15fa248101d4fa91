"""The wire form of answers, held to the examples of "Streaming Messages" in Anthropic's docs."""

import json

import pytest

from gateway_claude_code.upstream import Answer, TextBlock, ThinkingBlock, ToolUseBlock, Usage
from gateway_claude_code.upstream.events import encode, error_event, message_events, whole_message


def deltas(answer: Answer) -> list[dict[str, object]]:
    return [
        event["delta"]
        for event in message_events(answer, "m")
        if event["type"] == "content_block_delta"
    ]


def test_a_text_answer_is_the_documented_sequence() -> None:
    answer = Answer(
        blocks=(TextBlock(pieces=("Hello", "!")),),
        usage=Usage(input_tokens=25, output_tokens=15, cache_read_input_tokens=3),
        id="msg_1",
        ping=True,
    )
    assert list(message_events(answer, "claude-x")) == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude-x",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 25,
                    "cache_read_input_tokens": 3,
                    "cache_creation_input_tokens": 0,
                    "output_tokens": 1,
                },
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Hello"},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "!"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 15},
        },
        {"type": "message_stop"},
    ]


def test_text_without_pieces_is_split_by_length() -> None:
    answer = Answer(blocks=(TextBlock("abcdef"),), piece_chars=4)
    assert deltas(answer) == [
        {"type": "text_delta", "text": "abcd"},
        {"type": "text_delta", "text": "ef"},
    ]


def test_thinking_ends_with_its_signature() -> None:
    answer = Answer(blocks=(ThinkingBlock("Well", signature="sig"),))
    assert deltas(answer) == [
        {"type": "thinking_delta", "thinking": "Well"},
        {"type": "signature_delta", "signature": "sig"},
    ]


def test_a_tool_call_opens_with_an_empty_piece_and_stops_for_tool_use() -> None:
    answer = Answer(blocks=(ToolUseBlock("add", {"a": 1}, id="toolu_1"),))
    events = list(message_events(answer, "m"))
    assert events[1]["content_block"] == {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "add",
        "input": {},
    }
    assert deltas(answer) == [
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"a": 1}'},
    ]
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_a_tool_call_without_input_has_no_other_piece() -> None:
    assert deltas(Answer(blocks=(ToolUseBlock("now"),))) == [
        {"type": "input_json_delta", "partial_json": ""}
    ]


def test_raw_tool_input_goes_out_as_it_is() -> None:
    assert deltas(Answer(blocks=(ToolUseBlock("add", '{"a":'),)))[1]["partial_json"] == '{"a":'


def test_thinking_tokens_are_part_of_the_final_usage() -> None:
    answer = Answer(usage=Usage(output_tokens=9, thinking_tokens=4))
    assert list(message_events(answer, "m"))[-2]["usage"] == {
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4},
    }


def test_the_whole_message_says_the_same_as_the_stream() -> None:
    answer = Answer(
        blocks=(TextBlock(pieces=("Let ", "me")), ToolUseBlock("add", {"a": 1}, id="toolu_1")),
        model="claude-y",
    )
    message = whole_message(answer, "claude-x")
    assert message["model"] == "claude-y"
    assert message["stop_reason"] == "tool_use"
    assert message["content"] == [
        {"type": "text", "text": "Let me"},
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}},
    ]
    assert message["usage"]["output_tokens"] == answer.usage.output_tokens


@pytest.mark.parametrize("text", ["plain", "line\nend", "\u2028", "é 🙂"])
def test_an_event_is_two_lines_whatever_is_in_it(text: str) -> None:
    event = error_event("api_error", text)
    name, data, *rest = encode(event).decode().split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: ")) == event
    assert rest == ["", ""]
