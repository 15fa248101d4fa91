"""A mark that lets the API's prompt cache serve a conversation whose process is not the same.

The API reuses what an earlier request had in common with this one up to one of that one's marks
(`cache_control`), and it looks back from the marks of this one. The CLI puts a mark at the very end of
a prompt. From 2.1.330 on a note with the date stands there, behind the last user turn, and in the
next request of the conversation, given to another process, it stands elsewhere: nothing is in
common at the mark. No documented setting of the CLI takes the note away. A mark of ours at the end of
the last user turn, before the note, is at a place that the next request has as well.

How long a mark lasts has to fit the CLI's own marks, one of which stands behind ours: the API
refuses an hour behind five minutes. The CLI marks for an hour on a plan and for five minutes with
an API key (seen with 2.1.330), and on a plan for five minutes too while it uses up extra credit
(code.claude.com/docs, "Prompt caching").
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway_claude_code.request.history import Turn

SHORT: Final[Mapping[str, Any]] = {"type": "ephemeral"}
LONG: Final[Mapping[str, Any]] = {"type": "ephemeral", "ttl": "1h"}
"""platform.claude.com/docs/en/build-with-claude/prompt-caching: at most four in a request.
The CLI has two in the system prompt and one in the messages (seen with 2.1.197 and 2.1.330)."""

_TOO_MANY: Final = re.compile(r"maximum of \d+|[Ff]ound \d+")
_METHODS_OF_KEYS: Final = frozenset({"api_key", "none", "unknown", "third_party"})


class CacheMarks:
    """The mark to put, which lasts as long as the CLI's own. `mark` None puts none."""

    def __init__(self) -> None:
        self.mark: Mapping[str, Any] | None = SHORT
        self._other_refused = False

    def expect_login(self, method: str) -> None:
        """Take the length that goes with a login, by the CLI's own word for it."""
        self.mark = SHORT if method in _METHODS_OF_KEYS else LONG

    def accepted(self, mark: Mapping[str, Any] | None) -> None:
        """A request with this mark was answered."""
        if mark is self.mark:
            self._other_refused = False

    def learn(self, message: str, mark: Mapping[str, Any] | None) -> bool:
        """Whether a refusal is about the mark that was sent: its length, or one too many.

        Of a length, the other one may be right. Where both are refused, or it is one too many,
        no mark is put from then on.
        """
        if mark is None or "cache_control" not in message:
            return False
        if _TOO_MANY.search(message):
            self.mark = None
            return True
        if "ttl" not in message:
            return False
        if mark is self.mark:  # else another request has learnt it already
            other = SHORT if mark is LONG else LONG
            self.mark = None if self._other_refused else other
            self._other_refused = True
        return True


def marked(turn: Turn, mark: Mapping[str, Any] | None) -> Turn:
    """The turn with the mark on its last block. For one turn of a process' life only."""
    if mark is None or not turn.blocks:
        return turn
    *before, last = turn.blocks
    return replace(turn, blocks=(*before, {**last, "cache_control": mark}))
