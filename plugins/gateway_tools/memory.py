"""Results of the gateway's tools in turns that wait for the client's own results.

A client of a stateless API sends back what it was shown: its own calls, and not those of the
gateway's tools that went with them. They are put in again by the ids of its calls. Where they
are no longer known, after a restart, what the client sends is a valid conversation without them.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from gateway.types import (
    ChatRequest,
    Client,
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    WebSearch,
)

MAX_CHARACTERS: Final = 50_000_000

Key: TypeAlias = tuple[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What really happened in a turn of which the client saw `text` and its own calls.

    `messages` ends with the assistant's that has the client's calls; `results` are those of the
    gateway's calls in that last message.
    """

    messages: tuple[Message, ...]
    results: tuple[ToolResult, ...]
    text: str

    @property
    def size(self) -> int:
        """In characters."""
        parts = [part for message in self.messages for part in message.parts]
        return sum(map(_size, (*parts, *self.results)))


class Memory:
    """The turns last used: at most `most`, and no more than `characters` of text and pictures."""

    def __init__(self, most: int, characters: int = MAX_CHARACTERS) -> None:
        self._most = most
        self._characters = characters
        self._size = 0
        self._turns: OrderedDict[Key, Turn] = OrderedDict()

    def keep(self, client: Client, calls: Iterable[ToolCall], turn: Turn) -> None:
        """Remember a turn by the client's calls in it."""
        key = _key(client, calls)
        if (replaced := self._turns.pop(key, None)) is not None:
            self._size -= replaced.size
        self._turns[key] = turn
        self._size += turn.size
        while len(self._turns) > self._most or self._size > self._characters:
            self._size -= self._turns.popitem(last=False)[1].size

    def restored(self, request: ChatRequest) -> ChatRequest:
        """The request with its turns as they really were."""
        messages: list[Message] = []
        results: tuple[ToolResult, ...] = ()
        following = (*request.messages[1:], None)
        for message, after in zip(request.messages, following, strict=True):
            calls = [part for part in message.parts if isinstance(part, ToolCall)]
            turn = self._turn(request.client, message, calls) if _answered(calls, after) else None
            if turn is None:
                # all results of a turn are in the message after it
                messages.append(replace(message, parts=(*results, *message.parts)))
                results = ()
            else:
                messages += (*turn.messages[:-1], _with(turn.messages[-1], calls))
                results = turn.results
        return replace(request, messages=tuple(messages))

    def _turn(self, client: Client, message: Message, calls: Sequence[ToolCall]) -> Turn | None:
        """The memory of a message, if the client has left it unchanged."""
        key = _key(client, calls)
        if (turn := self._turns.get(key)) is None:
            return None
        self._turns.move_to_end(key)
        text = "".join(part.text for part in message.parts if isinstance(part, Text))
        return turn if text in {"", turn.text} else None


def _key(client: Client, calls: Iterable[ToolCall]) -> Key:
    return (client.caller, frozenset(_plain(call.id) for call in calls))


def _size(part: Part) -> int:
    match part:
        case ToolResult():
            return sum(map(_size, part.parts))
        case ToolCall():
            return len(part.arguments)
        case Text() | Thinking():
            return len(part.text)
        case WebSearch():
            return len(part.query) + sum(len(source.url) for source in part.sources)
        case _:
            return len(part.data or part.url or "" if isinstance(part, Image) else part.data)


def _plain(call_id: str) -> str:
    """Some clients rewrite all but letters and digits."""
    return re.sub(r"[^A-Za-z0-9]", "", call_id)


def _answered(calls: Sequence[ToolCall], after: Message | None) -> bool:
    if not calls or after is None or after.role != "user":
        return False
    return any(isinstance(part, ToolResult) for part in after.parts)


def _with(message: Message, calls: Iterable[ToolCall]) -> Message:
    """The message with the client's own calls as the client has them."""
    given = {_plain(call.id): call for call in calls}
    parts = tuple(
        given.get(_plain(part.id), part) if isinstance(part, ToolCall) else part
        for part in message.parts
    )
    return replace(message, parts=parts)
