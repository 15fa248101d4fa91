"""From items to a conversation: whose turn each is, and which are left out."""

from typing import Any

import pytest

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import ChatRequest, Message, Text, Thinking, ToolCall, ToolResult
from gateway_openai_responses.decode.conversation import CONTINUE, REFUSED_ITEMS
from gateway_openai_responses.decode.request import Earlier, ResponseCall, decode, parse
from gateway_openai_responses.thinking import sealed
from tests.openai_responses.responses_support import request_body

THOUGHT = Thinking(text="Hm.", signature="signed")
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "one"}


def called(*items: Any, **fields: Any) -> ResponseCall:
    return decode(parse(request_body(input=list(items), **fields)))


def decoded(*items: Any, **fields: Any) -> ChatRequest:
    return called(*items, **fields).requests[0]


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def user(text: str) -> Message:
    return Message(role="user", parts=(Text(text=text),))


def test_a_string_is_a_message_of_the_user() -> None:
    request = decode(parse(request_body(input="Hello"))).requests[0]
    assert request.messages == (user("Hello"),)


@pytest.mark.parametrize(
    "content",
    [
        "Hello",
        [{"type": "input_text", "text": "Hello"}],
        [{"type": "text", "text": "Hello"}],
    ],
)
@pytest.mark.parametrize("kind", [{}, {"type": "message"}, {"type": "message", "id": "msg_1"}])
def test_every_form_of_a_message(content: Any, kind: dict[str, Any]) -> None:
    assert decoded({**said("user", content), **kind}).messages == (user("Hello"),)


def test_instructions_and_leading_system_messages_are_the_system_text() -> None:
    request = decoded(
        said("developer", "Second."),
        said("system", [{"type": "input_text", "text": "Third."}]),
        said("user", "Hello"),
        instructions="First.",
    )
    assert request.system == "First.\n\nSecond.\n\nThird."
    assert request.messages == (user("Hello"),)


def test_later_system_messages_stay_at_their_place() -> None:
    messages = decoded(said("user", "a"), said("developer", "b"), said("user", "c")).messages
    assert messages == (
        user("a"),
        Message(role="user", parts=(Text(text="b", speaker="system"),)),
        user("c"),
    )


def test_the_items_of_an_answer_are_one_message() -> None:
    answer = (
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed(THOUGHT)},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Look:", "annotations": []}],
        },
        CALL,
        {**CALL, "call_id": "c2", "namespace": "space"},
    )
    outputs = (OUTPUT, {**OUTPUT, "call_id": "c2", "output": "two"})
    request = decoded(said("user", "a"), *answer, *outputs, said("user", "b"))
    assert request.messages[1] == Message(
        role="assistant",
        parts=(
            THOUGHT,
            Text(text="Look:"),
            ToolCall(id="c1", name="f", arguments="{}"),
            ToolCall(id="c2", name="space__f", arguments="{}"),
        ),
    )
    assert request.messages[2] == Message(
        role="user",
        parts=(
            ToolResult(call_id="c1", parts=(Text(text="one"),)),
            ToolResult(call_id="c2", parts=(Text(text="two"),)),
        ),
    )
    assert request.messages[3] == user("b")


def test_results_come_before_what_is_said_beside_them() -> None:
    beside = said("user", "wait")
    messages = decoded(said("user", "a"), CALL, beside, OUTPUT).messages
    result = ToolResult(call_id="c1", parts=(Text(text="one"),))
    assert messages[2:] == (Message(role="user", parts=(result,)), user("wait"))


def test_a_conversation_ends_with_the_user() -> None:
    assert decoded(said("user", "a"), said("assistant", "b")).messages[-1] == CONTINUE
    assert decoded().messages == (CONTINUE,)


@pytest.mark.parametrize("encrypted", [None, "gAAAA-of-openai", "dragoman1.????"])
def test_reasoning_of_others_is_left_out_with_a_word(encrypted: str | None) -> None:
    reasoning = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Hm."}],
        "encrypted_content": encrypted,
    }
    call = called(said("user", "a"), reasoning, said("assistant", "b"), said("user", "c"))
    assert call.ignored == ("input.reasoning",)
    assert call.requests[0].messages[1] == Message(role="assistant", parts=(Text(text="b"),))


@pytest.mark.parametrize("kind", ["web_search_call", "mcp_list_tools", "something_new"])
def test_items_of_other_tools_are_left_out_with_a_word(kind: str) -> None:
    call = called(said("user", "a"), {"type": kind, "id": "x"}, said("user", "b"))
    assert call.ignored == (f"input.{kind}",)
    assert call.requests[0].messages == (user("a"), user("b"))


def test_a_search_for_tools_by_the_server_is_left_out_with_a_word() -> None:
    search = {"type": "tool_search_call", "execution": "server", "arguments": {}}
    found = {"type": "tool_search_output", "execution": "server", "tools": []}
    call = called(said("user", "a"), search, found)
    assert call.ignored == ("input.tool_search_call", "input.tool_search_output")


@pytest.mark.parametrize("kind", sorted(REFUSED_ITEMS))
def test_what_must_not_be_left_out_is_refused(kind: str) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        called(said("user", "a"), {"type": kind})
    assert caught.value.param == "input[1].type"


@pytest.mark.parametrize(
    ("items", "param"),
    [
        ([said("robot", "a")], "input[0].role"),
        ([OUTPUT], "input[0].call_id"),
        ([{**OUTPUT, "call_id": None}], "input[0].call_id"),
        ([{**CALL, "name": ""}], "input[0].name"),
        ([{**CALL, "call_id": ""}], "input[0].call_id"),
        ([{"type": "function_call", "name": "f"}], "input[0].call_id"),
        ([said("system", [{"type": "input_image", "image_url": "x"}])], "input[0].content[0].type"),
        ([said("user", [{"type": "input_audio"}])], "input[0].content[0].type"),
        ([said("user", 1)], "input[0].content"),
        ([{"id": "msg_unknown"}], "input[0].id"),
        ([{"type": "item_reference", "id": "msg_unknown"}], "input[0].id"),
        (["text"], "input[0]"),
    ],
)
def test_the_error_names_the_place(items: list[Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        called(*items)
    assert caught.value.param == param


@pytest.mark.parametrize("kind", [None, "item_reference"])
def test_a_reference_stands_for_the_item_that_is_kept(kind: str | None) -> None:
    wire = parse(request_body(input=[{"type": kind, "id": "fc_1"}, OUTPUT]))
    messages = decode(wire, earlier=Earlier(referenced={"fc_1": CALL})).requests[0].messages
    assert messages[0].parts == (ToolCall(id="c1", name="f", arguments="{}"),)


def test_earlier_items_come_first() -> None:
    wire = parse(request_body(input=[OUTPUT]))
    earlier = Earlier(items=[{**said("user", "a"), "type": "message"}, CALL])
    messages = decode(wire, earlier=earlier).requests[0].messages
    assert [message.role for message in messages] == ["user", "assistant", "user"]


def test_without_input_there_is_nothing_to_answer() -> None:
    with pytest.raises(InvalidRequest, match="Missing required parameter: 'input'"):
        decode(parse({"model": "m"}))
