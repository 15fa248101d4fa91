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
    SearchBlock,
    SearchResultBlock,
    Silence,
    StreamError,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
    in_order,
    text_answer,
    web_search,
)
from gateway_claude_code.upstream.server import Refused, Upstream, running_upstream
from gateway_claude_code.upstream.web import cited

__all__ = [
    "Answer",
    "Cut",
    "Failure",
    "Gate",
    "MessagesRequest",
    "Refused",
    "Reply",
    "Script",
    "SearchBlock",
    "SearchResultBlock",
    "Silence",
    "StreamError",
    "TextBlock",
    "ThinkingBlock",
    "ToolUseBlock",
    "Upstream",
    "Usage",
    "cited",
    "in_order",
    "offline_script",
    "running_upstream",
    "text_answer",
    "web_search",
]
