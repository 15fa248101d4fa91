"""A conversation's earlier turns as text in one turn: a fallback. Pure.

For a CLI that does not take real turns (doctor: native_history). Answers say that it was used.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gateway.errors import BackendUnavailable
from gateway.machine.command_name import command_line
from gateway.types import Message, Part, Role, Text, ToolCall, ToolResult
from gateway_claude_code.request.history import CONTINUE, merged_turns

BEFORE: Final = "The conversation so far, as a transcript:"
AFTER: Final = "End of the transcript. The user now says:"

_SPEAKERS: Final[dict[Role, str]] = {"user": "User", "assistant": "Assistant"}


def transcribed(messages: Iterable[Message]) -> tuple[Message, ...]:
    """All messages as one user message. Images and documents are kept as they are.

    Raises `BackendUnavailable` if there are calls of tools or results among them.
    """
    merged = merged_turns(messages)
    if any(isinstance(part, ToolCall | ToolResult) for _, parts in merged for part in parts):
        raise BackendUnavailable(
            "The installed Claude Code CLI does not accept earlier turns "
            f"(`{command_line('doctor', anywhere=True)}` shows details), and tool calls can't be put "
            "into a transcript. Use another version of the CLI, or start a new conversation.",
            should_retry=False,
        )
    if not merged or merged[-1][0] == "assistant":
        merged.append(("user", [Text(text=CONTINUE)]))
    *earlier, (_, last) = merged
    spoken = [part for role, parts in earlier for part in _spoken(role, parts)]
    return (Message(role="user", parts=(Text(text=BEFORE), *spoken, Text(text=AFTER), *last)),)


def _spoken(role: Role, parts: Sequence[Part]) -> Iterator[Part]:
    speaker = f"{_SPEAKERS[role]}: "
    for part in parts:
        if isinstance(part, Text) and part.speaker == "system":
            yield Text(text=f"System: {part.text}")
            speaker = f"{_SPEAKERS[role]}: "
        elif isinstance(part, Text):
            yield Text(text=f"{speaker}{part.text}")
            speaker = ""
        else:
            yield part
