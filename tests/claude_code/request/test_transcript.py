"""A conversation in one turn, for a CLI that takes no others."""

import pytest

from gateway.errors import BackendUnavailable
from gateway.types import Image, Message, Part, Role, Text, ToolCall, ToolResult
from gateway_claude_code.request.transcript import AFTER, BEFORE, transcribed

IMAGE = Image(media_type="image/png", data="aGk=")


def said(role: Role, *parts: Part | str) -> Message:
    return Message(
        role=role,
        parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts),
    )


@pytest.mark.parametrize(
    ("messages", "turn"),
    [
        (
            [said("user", "a"), said("assistant", "b"), said("user", "c")],
            [BEFORE, "User: a", "Assistant: b", AFTER, "c"],
        ),
        (
            [
                said("user", "a", IMAGE),
                said("user", "b"),
                said("assistant", "c"),
                said("user", "d", IMAGE),
            ],
            [BEFORE, "User: a", IMAGE, "b", "Assistant: c", AFTER, "d", IMAGE],
        ),
        (
            [said("user", "a"), said("assistant", "b")],
            [BEFORE, "User: a", "Assistant: b", AFTER, "Continue."],
        ),
        ([said("assistant", "a"), said("user", "b")], [BEFORE, "Assistant: a", AFTER, "b"]),
    ],
)
def test_the_earlier_turns_are_text_and_the_last_is_itself(
    messages: list[Message], turn: list[Part | str]
) -> None:
    assert transcribed(messages) == (said("user", *turn),)


@pytest.mark.parametrize(
    "part",
    [
        ToolCall(id="c1", name="look", arguments="{}"),
        ToolResult(call_id="c1", parts=(Text(text="sea"),)),
    ],
)
def test_calls_cant_be_put_so(part: Part) -> None:
    role: Role = "assistant" if isinstance(part, ToolCall) else "user"
    with pytest.raises(BackendUnavailable, match="tool calls"):
        transcribed([said("user", "a"), said(role, part), said("user", "b")])
