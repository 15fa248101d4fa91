"""Which of the client's tools are offered."""

from typing import Any

import pytest

from gateway.types import ChatRequest, Message, Text, Tool, ToolCall, ToolChoice
from gateway_claude_code.request.prepare import with_offered_tools
from tests.claude_code.claude_code_support import a_request


def offered(request: ChatRequest) -> list[str]:
    return [tool.name for tool in with_offered_tools(request).tools]


THREE = tuple(Tool(name=name) for name in ("a", "b", "c"))


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (ToolChoice(), ["a", "b", "c"]),
        (ToolChoice(mode="none"), ["a", "b", "c"]),
        (ToolChoice(mode="required"), ["a", "b", "c"]),
        (ToolChoice(mode="required", names=("b",)), ["a", "b", "c"]),
        (ToolChoice(mode="required", names=("c", "a")), ["a", "c"]),
        (ToolChoice(mode="auto", names=("b",)), ["b"]),
        (ToolChoice(mode="auto", names=("b", "c")), ["b", "c"]),
    ],
)
def test_a_choice_of_names_leaves_only_those(choice: ToolChoice, names: list[str]) -> None:
    assert offered(a_request(tools=THREE, tool_choice=choice)) == names


def with_calls(**fields: Any) -> ChatRequest:
    said = Message(
        role="assistant",
        parts=(Text(text="ok"), ToolCall(id="2", name="z"), ToolCall(id="1", name="y")),
    )
    request = a_request("Hi", **fields)
    return ChatRequest(model="m", messages=(*request.messages, said), tools=request.tools)


def test_tools_called_in_the_history_stay_known() -> None:
    assert offered(with_calls()) == ["y", "z"]


def test_tools_of_the_history_alone_cant_be_called() -> None:
    assert with_offered_tools(with_calls()).tool_choice == ToolChoice(mode="none")


def test_tools_of_the_history_are_not_added_to_those_offered() -> None:
    assert offered(with_calls(tools=THREE)) == ["a", "b", "c"]


def test_a_request_without_tools_and_calls_stays_as_it_is() -> None:
    request = a_request("Hi", "Hello", "Bye")
    assert with_offered_tools(request) is request
