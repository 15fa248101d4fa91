"""Scenarios: a conversation on its way to the model."""

from typing import Any

from gateway.errors import BackendFailed, InvalidRequest
from gateway.types import Message, Text, Tool, ToolCall, ToolResult
from gateway_claude_code.doctor.scenarios.bodies import difference
from gateway_claude_code.doctor.scenarios.rig import Rig, asking, message, plain_turns, prepared
from gateway_claude_code.request.history import turns

LOOK = Tool(
    name="look",
    description="Looks at something.",
    schema={
        "type": "object",
        "properties": {"at": {"type": "string", "pattern": "^[a-z]+$"}},
        "required": ["at"],
        "additionalProperties": False,
    },
)


def _conversation() -> tuple[Message, ...]:
    call = ToolCall(id="toolu01", name="look", arguments='{"at": "sea"}')
    result = ToolResult(call_id="toolu01", parts=(Text(text="It is blue."),))
    return (
        message("user", "one"),
        message("assistant", "two"),
        message("user", "three"),
        Message(role="assistant", parts=(Text(text="Let me see."), call)),
        Message(role="user", parts=(result, Text(text="four"))),
    )


async def native_history(rig: Rig) -> None:
    """The client's history of texts, a call and its result."""
    asked = prepared(asking(*_conversation(), tools=(LOOK,)))
    try:
        await rig.answer(asked.request)
    except (BackendFailed, InvalidRequest) as error:
        # either the history is the cause, or this CLI answers nothing at all
        await rig.answer(asking(message("user", "one")))
        rig.differs("native_history", f"given one, the CLI fails: {error.message}")
        return
    wanted = [
        {"role": turn.role, "content": [dict(block) for block in turn.blocks]}
        for turn in turns(asked.request.messages, asked.names)
    ]
    arrived = plain_turns(rig.requests[0])
    if arrived == wanted:
        rig.holds("native_history", f"{len(wanted)} turns arrived unchanged")
        return
    rig.differs("native_history", f"of {len(wanted)} turns, {_difference(wanted, arrived)}")


def _difference(wanted: list[dict[str, Any]], arrived: list[dict[str, Any]]) -> str:
    if (roles := [turn["role"] for turn in arrived]) != [turn["role"] for turn in wanted]:
        return f"these arrived: {', '.join(roles) or 'none'}"
    number = next(i for i, turn in enumerate(wanted) if arrived[i] != turn)
    return f"number {number + 1} arrived with different content"


async def stable_prefix(rig: Rig) -> None:
    """The same conversation in two processes."""
    # without the call, which would lose its beginning in a CLI that loses history
    request = asking(*_conversation()[:3], tools=(LOOK,), system="Be brief.")
    for _ in range(2):
        await rig.answer(request)
    first, second = rig.requests[:2]
    found = difference(first.body, second.body)
    rig.note(
        "stable_prefix",
        not found,
        f"of two processes, {found}" if found else "two processes sent the same, metadata aside",
    )
