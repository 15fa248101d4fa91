"""From messages to turns that the model's API takes."""

import pytest

from gateway.types import Document, Image, Message, Part, Text, Thinking, ToolCall, ToolResult
from gateway_claude_code.protocol import Block
from gateway_claude_code.request.history import (
    CONTINUE,
    NO_RESULT,
    Turn,
    content_block,
    result_content,
    turns,
)
from gateway_claude_code.request.tools.call_input import call_input
from gateway_claude_code.request.tools.tool_names import ToolNames


def user(*parts: Part | str) -> Message:
    return Message(role="user", parts=tuple(map(_part, parts)))


def assistant(*parts: Part | str) -> Message:
    return Message(role="assistant", parts=tuple(map(_part, parts)))


def _part(part: Part | str) -> Part:
    return Text(text=part) if isinstance(part, str) else part


def call(call_id: str, name: str = "look", arguments: str = "{}") -> ToolCall:
    return ToolCall(id=call_id, name=name, arguments=arguments)


def result(call_id: str, text: str, **fields: bool) -> ToolResult:
    return ToolResult(call_id=call_id, parts=(Text(text=text),), **fields)


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def history(*messages: Message) -> list[Turn]:
    return turns(messages, ToolNames(["look"]))


def last_blocks(*messages: Message) -> tuple[Block, ...]:
    return history(*messages)[-1].blocks


def shape(*messages: Message) -> list[tuple[str, list[str]]]:
    """Each turn's role and the text of its blocks, or their type."""
    return [
        (turn.role, [block.get("text", block["type"]) for block in turn.blocks])
        for turn in history(*messages)
    ]


# -- turns --------------------------------------------------------------------------------


def test_messages_of_one_role_become_one_turn() -> None:
    assert shape(user("a"), user("b"), assistant("c"), assistant("d"), user("e")) == [
        ("user", ["a", "b"]),
        ("assistant", ["c", "d"]),
        ("user", ["e"]),
    ]


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_blank_text_is_dropped(blank: str) -> None:
    assert shape(user("a", blank)) == [("user", ["a"])]


def test_a_blank_message_does_not_part_those_around_it() -> None:
    assert shape(user("a"), assistant(""), user("b")) == [("user", ["a", "b"])]


@pytest.mark.parametrize("messages", [(), (user(),), (user(" "),)])
def test_a_conversation_of_nothing_asks_to_continue(messages: tuple[Message, ...]) -> None:
    assert shape(*messages) == [("user", [CONTINUE])]


def test_a_conversation_that_begins_with_the_assistant_gets_a_user_turn_first() -> None:
    assert shape(assistant("a"), user("b")) == [
        ("user", [CONTINUE]),
        ("assistant", ["a"]),
        ("user", ["b"]),
    ]


def test_a_conversation_that_ends_with_the_assistant_gets_a_user_turn_last() -> None:
    assert shape(user("a"), assistant("b"))[-1] == ("user", [CONTINUE])


def test_an_assistant_alone_gets_user_turns_on_both_sides() -> None:
    assert [role for role, _ in shape(assistant("a"))] == ["user", "assistant", "user"]


def test_thinking_is_dropped() -> None:
    messages = user("a"), assistant(Thinking(text="hm", signature="s"), "b"), user("c")
    assert shape(*messages)[1] == ("assistant", ["b"])


def test_a_turn_of_nothing_but_thinking_is_dropped() -> None:
    messages = user("a"), assistant(Thinking(text="hm")), user("b")
    assert shape(*messages) == [("user", ["a", "b"])]


# -- calls and results --------------------------------------------------------------------


def test_a_call_becomes_a_tool_use_with_the_models_name() -> None:
    turn = history(user("a"), assistant(call("c1", arguments='{"x": 1}')), user("b"))[1]
    assert turn.blocks == (
        {"type": "tool_use", "id": "c1", "name": "mcp__t__look", "input": {"x": 1}},
    )


def test_an_assistants_text_stands_before_its_calls() -> None:
    assert shape(user("a"), assistant(call("c1"), "b"), user("c"))[1] == (
        "assistant",
        ["b", "tool_use"],
    )


def test_a_result_answers_its_call() -> None:
    blocks = last_blocks(user("a"), assistant(call("c1")), user(result("c1", "found")))
    assert blocks == ({"type": "tool_result", "tool_use_id": "c1", "content": [text("found")]},)


def test_results_come_first_and_in_the_order_of_the_calls() -> None:
    blocks = last_blocks(
        user("a"),
        assistant(call("c1"), call("c2")),
        user("and now?", result("c2", "two"), result("c1", "one")),
    )
    assert [block.get("tool_use_id") or block["text"] for block in blocks] == [
        "c1",
        "c2",
        "and now?",
    ]


def test_a_missing_result_is_said_to_be_missing() -> None:
    blocks = last_blocks(user("a"), assistant(call("c1")), user("never mind"))
    missing = {
        "type": "tool_result",
        "tool_use_id": "c1",
        "content": [text(NO_RESULT)],
        "is_error": True,
    }
    assert blocks == (missing, text("never mind"))


def test_a_call_at_the_very_end_gets_a_missing_result() -> None:
    blocks = last_blocks(user("a"), assistant(call("c1")))
    assert [block["type"] for block in blocks] == ["tool_result", "text"]


def test_a_stray_result_becomes_text() -> None:
    blocks = last_blocks(user("a"), assistant("b"), user(result("c9", "late")))
    assert blocks == (text("(result of an earlier call) late"),)


def test_an_error_result_is_marked() -> None:
    blocks = last_blocks(user("a"), assistant(call("c1")), user(result("c1", "bad", is_error=True)))
    assert blocks[0]["is_error"] is True


def test_a_blank_result_has_no_content() -> None:
    blocks = last_blocks(user("a"), assistant(call("c1")), user(result("c1", " ")))
    assert blocks == ({"type": "tool_result", "tool_use_id": "c1"},)


def test_a_result_can_hold_a_picture() -> None:
    picture = Image(url="https://example.com/a.png")
    content = result_content(ToolResult(call_id="c1", parts=(Text(text="see"), picture)))
    assert [block["type"] for block in content] == ["text", "image"]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ("", {}),
        ("  ", {}),
        ("{", {"arguments": "{"}),
        ("[1]", {"arguments": "[1]"}),
        ("null", {"arguments": "null"}),
        ("[" * 100_000, {"arguments": "[" * 100_000}),
    ],
    ids=["object", "empty", "blank", "broken", "array", "null", "deep"],
)
def test_arguments_as_an_object(arguments: str, value: dict[str, object]) -> None:
    assert call_input(arguments) == value


# -- content ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            Image(media_type="image/png", data="aGk="),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
            },
        ),
        (
            Image(url="https://example.com/a.png"),
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        ),
        (
            Document(media_type="application/pdf", data="JVBE", title="a.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                "title": "a.pdf",
            },
        ),
        (
            Document(media_type="text/csv", data="a,b"),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a,b"},
            },
        ),
        (Thinking(text="hm"), None),
    ],
    ids=["data", "url", "pdf", "text", "thinking"],
)
def test_content_blocks(part: Part, block: Block | None) -> None:
    assert content_block(part) == block


def test_an_assistants_picture_is_dropped() -> None:
    messages = user("a"), assistant(Image(url="https://example.com"), "b"), user("c")
    assert shape(*messages)[1] == ("assistant", ["b"])


def test_names_that_come_to_the_same_are_numbered() -> None:
    names = ToolNames(["a.b", "a_b_2", "a!b", "a_b"])
    assert [names.inner(name) for name in ("a_b", "a_b_2", "a.b", "a!b", "a?b")] == [
        "a_b", "a_b_2", "a_b_3", "a_b_4", "a_b_5",
    ]  # fmt: skip
