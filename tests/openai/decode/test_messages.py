"""From the wire's messages to the hub's conversation."""

from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.types import Document, Image, Message, Part, Role, Text, ToolCall, ToolResult
from gateway_openai.decode.chat import decode, parse
from gateway_openai.decode.messages import CONTINUE, Conversation, decode_messages
from tests.openai.openai_support import request_body

Wire = dict[str, Any]

ASK: Wire = {"role": "user", "content": "Hi"}


def conversation(*messages: Wire) -> Conversation:
    return decode_messages(parse(request_body(messages=list(messages))).messages)


def turn(role: Role, *parts: Part) -> Message:
    return Message(role=role, parts=parts)


def asks(*ids: str, **fields: object) -> Wire:
    calls = [
        {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for call_id in ids
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls, **fields}


def gives(call_id: str, content: object = "ok") -> Wire:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def result(call_id: str, *texts: str) -> ToolResult:
    return ToolResult(call_id=call_id, parts=tuple(Text(text=text) for text in texts or ("ok",)))


PSST: Wire = {"role": "system", "content": "Psst."}


def note(text: str) -> Message:
    return turn("user", Text(text=text, speaker="system"))


HI = turn("user", Text(text="Hi"))


@pytest.mark.parametrize(
    ("messages", "system"),
    [
        ([ASK], ""),
        ([{"role": "system", "content": "Be brief."}, ASK], "Be brief."),
        ([{"role": "developer", "content": "Be brief."}, ASK], "Be brief."),
        (
            [
                {"role": "system", "content": "One."},
                {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
                ASK,
            ],
            "One.\n\nTwo.",
        ),
        ([{"role": "system", "content": ""}, {"role": "system", "content": None}, ASK], ""),
        (
            [{"role": "system", "content": " \n"}, {"role": "system", "content": "One."}, ASK],
            "One.",
        ),
    ],
)
def test_system_and_developer_messages_before_the_first_turn_are_joined(
    messages: list[Wire], system: str
) -> None:
    decoded = conversation(*messages)
    assert decoded.system == system
    assert decoded.messages == (HI,)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"content": "Yes"}, (Text(text="Yes"),)),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            (Text(text="a"), Text(text="b")),
        ),
        ({"content": [{"type": "refusal", "refusal": "No"}]}, (Text(text="No"),)),
        ({"content": None, "refusal": "No"}, (Text(text="No"),)),
        ({"content": "Yes", "reasoning_content": "hm", "reasoning": "hm"}, (Text(text="Yes"),)),
        (
            {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes"}]},
            (Text(text="Yes"),),
        ),
        ({"content": "Yes", "tool_calls": None}, (Text(text="Yes"),)),
    ],
)
def test_what_an_assistant_said(message: Wire, parts: tuple[Part, ...]) -> None:
    decoded = conversation(ASK, {"role": "assistant", **message}, ASK)
    assert decoded.messages == (HI, turn("assistant", *parts), HI)


@pytest.mark.parametrize("arguments", ['{"a": 1}', '{ "a" :1 }', "", "{not json", "null"])
def test_arguments_stay_as_they_were_written(arguments: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}
    decoded = conversation(ASK, {"role": "assistant", "content": "", "tool_calls": [call]}, ASK)
    assert decoded.messages[1] == turn("assistant", ToolCall(id="a", name="f", arguments=arguments))


def test_a_call_without_type_and_arguments_is_taken() -> None:
    decoded = conversation(
        ASK, {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f"}}]}, ASK
    )
    assert decoded.messages[1] == turn("assistant", ToolCall(id="a", name="f", arguments=""))


def test_calls_come_after_the_text() -> None:
    decoded = conversation(ASK, asks("a", content="Let me see."), gives("a"))
    assert decoded.messages[1] == turn(
        "assistant", Text(text="Let me see."), ToolCall(id="a", name="f")
    )


def test_results_that_follow_each_other_are_one_user_message() -> None:
    decoded = conversation(ASK, asks("a", "b"), gives("b"), gives("a"), ASK)
    assert decoded.messages[2:] == (turn("user", result("b"), result("a")), HI)


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_later_system_message_stays_where_it_was_said(role: str) -> None:
    said = {"role": "assistant", "content": "Yes"}
    decoded = conversation(
        {"role": "system", "content": "S"}, ASK, said, {"role": role, "content": "Ran command"}
    )
    assert decoded.system == "S"
    assert decoded.messages == (HI, turn("assistant", Text(text="Yes")), note("Ran command"))


@pytest.mark.parametrize(
    "new",
    [
        [PSST, gives("a"), gives("b"), ASK],
        [gives("a"), PSST, gives("b"), ASK],
        [gives("a"), gives("b"), PSST, ASK],
    ],
    ids=["before", "between", "after"],
)
def test_a_system_message_among_results_comes_after_them(new: list[Wire]) -> None:
    decoded = conversation(ASK, asks("a", "b"), *new)
    assert decoded.messages[2:] == (turn("user", result("a"), result("b")), note("Psst."), HI)


def test_a_user_message_among_results_comes_after_them() -> None:
    decoded = conversation(ASK, asks("a", "b"), gives("a"), ASK, gives("b"))
    assert decoded.messages[2:] == (turn("user", result("a"), result("b")), HI)


def test_calls_of_one_message_may_have_the_same_id() -> None:
    decoded = conversation(ASK, asks("a", "a"), gives("a", "1"), gives("a", "2"))
    assert decoded.messages[2:] == (turn("user", result("a", "1"), result("a", "2")),)


def test_results_of_different_turns_stay_apart() -> None:
    decoded = conversation(ASK, asks("a"), gives("a"), asks("b"), gives("b"))
    assert [message.role for message in decoded.messages] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("42", ("42",)),
        ([{"type": "text", "text": "4"}, {"type": "text", "text": "2"}], ("4", "2")),
    ],
)
def test_the_content_of_a_result(content: object, texts: tuple[str, ...]) -> None:
    decoded = conversation(ASK, asks("a"), gives("a", content))
    assert decoded.messages[2] == turn("user", result("a", *texts))


@pytest.mark.parametrize("content", ["", None, []])
def test_an_empty_result_is_still_a_result(content: object) -> None:
    decoded = conversation(ASK, asks("a"), gives("a", content))
    assert decoded.messages[2] == turn("user", ToolResult(call_id="a"))


def test_an_unanswered_call_stays() -> None:
    decoded = conversation(ASK, asks("a", "b"), gives("a"), ASK)
    assert decoded.messages[1:] == (
        turn("assistant", ToolCall(id="a", name="f"), ToolCall(id="b", name="f")),
        turn("user", result("a")),
        HI,
    )


@pytest.mark.parametrize(
    "messages",
    [
        [ASK, {"role": "assistant", "content": "Hello"}],
        [{"role": "system", "content": "Be brief."}],
        [ASK, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": ""}],
    ],
)
def test_without_a_turn_of_the_user_at_the_end_the_model_is_told_to_continue(
    messages: list[Wire],
) -> None:
    assert conversation(*messages).messages[-1] == CONTINUE


def test_messages_without_content_are_left_out() -> None:
    empty = {"role": "assistant", "content": None}
    assert conversation(ASK, empty, {"role": "user", "content": []}, ASK).messages == (HI, HI)


def test_function_messages_are_matched_by_name() -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "f"}}
    gave = {"role": "function", "name": "f", "content": "ok"}
    decoded = conversation(ASK, called, gave, called, gave)
    assert decoded.messages == (
        HI,
        turn("assistant", ToolCall(id="functioncall1", name="f", arguments="")),
        turn("user", result("functioncall1")),
        turn("assistant", ToolCall(id="functioncall2", name="f", arguments="")),
        turn("user", result("functioncall2")),
    )


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([gives("a")], "messages[0].tool_call_id"),
        ([ASK, asks("a"), gives("b")], "messages[2].tool_call_id"),
        ([ASK, gives("a"), asks("a")], "messages[1].tool_call_id"),
        ([ASK, asks("a", "")], "messages[1].tool_calls[1].id"),
        (
            [ASK, {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": ""}}]}],
            "messages[1].tool_calls[0].function.name",
        ),
        (
            [ASK, {"role": "assistant", "function_call": {"name": ""}}],
            "messages[1].function_call.name",
        ),
        ([{"role": "function", "name": "f", "content": ""}], "messages[0].name"),
        ([{"role": "robot", "content": "Hi"}], "messages[0].role"),
        (
            [ASK, {"role": "assistant", "tool_calls": [{"id": "a", "type": "custom"}]}],
            "messages[1].tool_calls[0].type",
        ),
        (
            [ASK, {"role": "assistant", "tool_calls": [{"id": "a", "type": "function"}]}],
            "messages[1].tool_calls[0].function",
        ),
        (
            [{"role": "system", "content": [{"type": "image_url", "image_url": "data:,"}]}],
            "messages[0].content[0].type",
        ),
        (
            [{"role": "assistant", "content": [{"type": "input_audio"}]}],
            "messages[0].content[0].type",
        ),
        (
            [{"role": "user", "content": [{"type": "refusal", "refusal": "No"}]}],
            "messages[0].content[0].type",
        ),
        (
            [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}],
            "messages[0].content[0].type",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_path(messages: list[Wire], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        conversation(*messages)
    assert caught.value.param == param


def test_the_name_on_a_tool_message_is_nothing_to_report() -> None:
    messages = [ASK, asks("a"), {**gives("a"), "name": "f"}]
    assert decode(parse(request_body(messages=messages))).ignored == ()


PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def test_a_result_may_have_pictures_and_files() -> None:
    content = [
        {"type": "text", "text": "Seen:"},
        PICTURE,
        {"type": "file", "file": {"file_data": "data:text/plain,x", "filename": "a.txt"}},
    ]
    decoded = conversation(ASK, asks("a"), gives("a", content))
    parts = (
        Text(text="Seen:"),
        Image(url="https://example.com/a.png"),
        Document(media_type="text/plain", data="x", title="a.txt"),
    )
    assert decoded.messages[2] == turn("user", ToolResult(call_id="a", parts=parts))


def test_several_rounds_of_calls_keep_their_order() -> None:
    rounds = [(asks(f"a{number}", f"b{number}"), number) for number in range(3)]
    messages = [
        message
        for calls, number in rounds
        for message in (calls, gives(f"a{number}"), gives(f"b{number}"))
    ]
    decoded = conversation(ASK, *messages, ASK)
    expected = [
        turned
        for number in range(3)
        for turned in (
            turn("assistant", *(ToolCall(id=f"{name}{number}", name="f") for name in "ab")),
            turn("user", result(f"a{number}"), result(f"b{number}")),
        )
    ]
    assert decoded.messages == (HI, *expected, HI)


def test_functions_of_several_names_are_matched_by_the_latest_call_of_each() -> None:
    def called(name: str) -> Wire:
        return {"role": "assistant", "content": None, "function_call": {"name": name}}

    def gave(name: str) -> Wire:
        return {"role": "function", "name": name, "content": "ok"}

    decoded = conversation(ASK, called("f"), called("g"), gave("g"), gave("f"))
    assert decoded.messages[-1] == turn("user", result("functioncall2"), result("functioncall1"))


def test_a_second_result_of_one_call_is_taken_with_either_form() -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "f"}}
    gave = {"role": "function", "name": "f", "content": "ok"}
    assert conversation(ASK, called, gave, gave).messages[-1] == turn(
        "user", result("functioncall1"), result("functioncall1")
    )
    assert conversation(ASK, asks("a"), gives("a"), gives("a")).messages[-1] == turn(
        "user", result("a"), result("a")
    )
