"""Two calls of one answer, and a message with their results in another order."""

from gateway.types import Message, Text, ToolCall, ToolResult

CALLS = Message(
    role="assistant", parts=(ToolCall(id="a", name="look"), ToolCall(id="b", name="look"))
)
RESULTS = Message(
    role="user",
    parts=(
        ToolResult(call_id="b", parts=(Text(text="second"),)),
        ToolResult(call_id="a", parts=(Text(text="first"),)),
    ),
)
