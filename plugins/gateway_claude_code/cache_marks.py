"""A mark that lets the API's prompt cache serve a conversation whose process is not the same.

The API reuses what an earlier request had in common with this one up to one of that one's marks
(`cache_control`), and it looks back from the marks of this one. The CLI puts a mark at the very end of
a prompt. From 2.1.330 on a note with the date stands there, behind the last user turn, and in the
next request of the conversation, given to another process, it stands elsewhere: nothing is in
common at the mark. No documented setting of the CLI takes the note away. A mark of ours at the end of
the last user turn, before the note, is at a place that the next request has as well.
"""

from dataclasses import replace
from typing import Final

from gateway_claude_code.history import Turn

MARK: Final = {"type": "ephemeral"}
"""https://docs.claude.com/en/docs/build-with-claude/prompt-caching: at most four in a request.
The CLI has two in the system prompt and one in the messages (seen with 2.1.197 and 2.1.330)."""


def with_cache_mark(turn: Turn) -> Turn:
    """The turn with a mark on its last block. For one turn of a process' life only."""
    if not turn.blocks:
        return turn
    *before, last = turn.blocks
    return replace(turn, blocks=(*before, {**last, "cache_control": MARK}))
