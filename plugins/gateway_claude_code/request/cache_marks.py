"""A cache mark that serves a conversation across processes.

The API reuses the prefix that two requests share, up to a mark (`cache_control`) of the earlier one
(platform.claude.com/docs/en/build-with-claude/prompt-caching). The CLI puts a mark at the very end of
a prompt. From 2.1.330 on a note with the date is there, after the last user turn; in the next
request of the conversation, given to another process, the note has another place, and so nothing is
shared at that mark. No documented setting of the CLI removes the note. Our own mark at the end of the
last user turn, before the note, is at a place that the next request has too.

The lifetime of our mark must suit the CLI's own, one of which comes after it: the API refuses an hour
after five minutes. The CLI marks for an hour on a plan and for five minutes with an API key (seen
with 2.1.330), and on a plan for five minutes too while it draws on usage credits
(code.claude.com/docs/en/prompt-caching).
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

# the words "A maximum of 4 blocks with cache_control may be provided. Found 5." are the live API's
_TOO_MANY: Final = re.compile(r"maximum of \d+|[Ff]ound \d+")
# words of `claude auth status` (seen with 2.1.330); all other methods are a plan's
_METHODS_OF_KEYS: Final = frozenset({"api_key", "none", "unknown", "third_party"})


class CacheMarks:
    """The mark to add, with the lifetime of the CLI's own marks; with `mark` None none is added."""

    def __init__(self) -> None:
        self.mark: Mapping[str, Any] | None = SHORT
        self._other_refused = False

    def expect_login(self, method: str) -> None:
        """Choose the lifetime that suits a login, by the CLI's own word for it."""
        self.mark = SHORT if method in _METHODS_OF_KEYS else LONG

    def accepted(self, mark: Mapping[str, Any] | None) -> None:
        """A request with this mark was answered."""
        if mark is self.mark:
            self._other_refused = False

    def learn(self, message: str, mark: Mapping[str, Any] | None) -> bool:
        """Whether a refusal is about the mark that was sent: its lifetime, or one mark too many.

        After a refused lifetime the other one is tried. If both are refused, or there are too many
        marks, no mark is added from then on.
        """
        if mark is None or "cache_control" not in message:
            return False
        if _TOO_MANY.search(message):
            self.mark = None
            return True
        # the longer lifetime has to come first, and the refusal names `ttl`; the rule is on
        # platform.claude.com/docs/en/build-with-claude/prompt-caching, "Mixing different TTLs"
        if "ttl" not in message:
            return False
        if mark is self.mark:  # else another request has already learnt it
            other = SHORT if mark is LONG else LONG
            self.mark = None if self._other_refused else other
            self._other_refused = True
        return True


def marked(turn: Turn, mark: Mapping[str, Any] | None) -> Turn:
    """The turn with the mark on its last block. For only one turn in a process's life."""
    if mark is None or not turn.blocks:
        return turn
    # a second mark of ours would be the fifth of a request: the CLI has three (see `LONG`)
    *before, last = turn.blocks
    return replace(turn, blocks=(*before, {**last, "cache_control": mark}))
