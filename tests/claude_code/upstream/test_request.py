"""What scripts see of a request: the client's own words, not what the CLI adds to them."""

from typing import Any

import pytest

from gateway_claude_code.upstream import MessagesRequest


def request(**body: Any) -> MessagesRequest:
    return MessagesRequest(body=body, size=1, headers={}, received=0.0)


def text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


NOTE = {"role": "system", "content": [text("# Environment\nYou have been invoked in ...")]}
REMINDER = text("<system-reminder>\n# currentDate\n</system-reminder>\n")


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], ""),
        ([{"role": "user", "content": "Hi"}], "Hi"),
        ([user(text("Hi"))], "Hi"),
        ([user(text("Look:"), text("here"))], "Look:\nhere"),
        ([user(text("Hi")), NOTE], "Hi"),
        ([user(REMINDER, text("Hi"))], "Hi"),
        ([user(text("<local-command-stdout>Set model</local-command-stdout>"), text("Hi"))], "Hi"),
        ([user(text("Hi")), {"role": "assistant", "content": [text("Yes")]}], ""),
    ],
)
def test_last_user_text(messages: list[dict[str, Any]], expected: str) -> None:
    assert request(messages=messages).last_user_text == expected


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (None, ""),
        ("Be brief.", "Be brief."),
        (
            [
                text("x-anthropic-billing-header: cc_version=2.1.330;"),
                text("You are a Claude agent, built on Anthropic's Claude Agent SDK."),
                text("Be brief."),
                text("Be kind."),
            ],
            "Be brief.\n\nBe kind.",
        ),
    ],
)
def test_system_text(system: object, expected: str) -> None:
    assert request(system=system).system_text == expected


def test_tool_results_of_the_last_turn_know_their_tool() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "3"}
    asked = request(messages=[user(text("1+2")), {"role": "assistant", "content": [call]}])
    answered = request(messages=[*asked.messages, user(result)])
    assert asked.last_tool_results == []
    assert answered.last_tool_results == [result]
    assert answered.tool_name("toolu_1") == "add"
    assert answered.tool_name("toolu_2") == ""


def test_defaults_of_what_was_left_out() -> None:
    empty = request()
    assert (empty.model, empty.streamed, empty.messages, empty.tools) == ("", False, [], [])
    assert empty.tool_choice == {"type": "auto"}
