"""A scripted stand-in for Anthropic's model API, to run the real CLI with no account or network.

The CLI is pointed at it with `ANTHROPIC_BASE_URL=upstream.url`. It refuses what the real API refuses
(`rules`); all other answers are decided by a `Script`, a plain function from `MessagesRequest` to
`Reply`.
"""

from gateway_claude_code.upstream.offline import offline_script
from gateway_claude_code.upstream.script import (
    Answer,
    Cut,
    Failure,
    Gate,
    MessagesRequest,
    Reply,
    Script,
    Silence,
    StreamError,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
    in_order,
    text_answer,
)
from gateway_claude_code.upstream.server import Refused, Upstream, running_upstream

__all__ = [
    "Answer",
    "Cut",
    "Failure",
    "Gate",
    "MessagesRequest",
    "Refused",
    "Reply",
    "Script",
    "Silence",
    "StreamError",
    "TextBlock",
    "ThinkingBlock",
    "ToolUseBlock",
    "Upstream",
    "Usage",
    "in_order",
    "offline_script",
    "running_upstream",
    "text_answer",
]
