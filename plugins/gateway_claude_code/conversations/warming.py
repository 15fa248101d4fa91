"""Getting a process ready for the first conversation of a set-up, before anybody asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.types import Tool
from gateway_claude_code.channel.mcp_bridge import McpBridge
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.request.canonical import Digest
from gateway_claude_code.request.history import Turn
from gateway_claude_code.request.tools.tool_names import ToolNames

CUT_AGAIN: Final = Turn(role="user", blocks=({"type": "text", "text": "Hello."},))
"""Never sent to a model. The CLI does the work of a process's first turn for it (2.1.330)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that a process gets before its first turn; see `Conversation.set_up` and `Digests`."""

    system: str
    tools: Sequence[Tool]
    names: ToolNames
    settings: Mapping[str, Any]
    json_schema: Mapping[str, Any] | None
    opening: Digest
    offer: Digest


async def warm(conversation: Conversation, recipe: Recipe) -> None:
    """Set up a process that was told nothing yet, and have it empty. Raises `GatewayError`s."""
    bridge = McpBridge(recipe.tools, recipe.names) if recipe.tools else None
    conversation.held.open(recipe.opening, recipe.offer)
    await conversation.set_up(recipe.system, bridge, recipe.settings, recipe.json_schema)
    conversation.held.begin(())
    await conversation.add_history([CUT_AGAIN])
    await conversation.rewind(0)
