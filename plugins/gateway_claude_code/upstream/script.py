"""The instructions for the stand-in: a `Script` is a function from a request to a `Reply`."""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio

from gateway_claude_code.upstream.request import JsonObject, MessagesRequest

__all__ = [
    "Answer",
    "Block",
    "Cut",
    "Failure",
    "Gate",
    "MessagesRequest",
    "Reply",
    "Script",
    "SearchBlock",
    "SearchResultBlock",
    "Silence",
    "StreamError",
    "TextBlock",
    "ThinkingBlock",
    "ToolUseBlock",
    "Usage",
    "in_order",
    "text_answer",
    "web_search",
]

_POLL_SECONDS = 0.005


class Gate:
    """Holds an answer back until `open()`, which any thread may call, before or after."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()

    def open(self) -> None:
        """Let the answer go on."""
        self._opened.set()

    async def pass_through(self) -> None:
        """Wait until it is open. Polls, as the opener may live in another event loop."""
        self.reached.set()
        await _until_set(self._opened)

    async def wait_reached(self) -> None:
        """Wait until an answer has reached the gate; threads wait on `reached` instead."""
        await _until_set(self.reached)


async def _until_set(event: threading.Event) -> None:
    while not event.is_set():  # noqa: ASYNC110 - it is set by another thread
        await anyio.sleep(_POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Text. `pieces`, if given, are its exact deltas; `text` is then their sum.

    `citations` are its sources, each as a block of the API (`cited` makes one).
    """

    text: str = ""
    pieces: tuple[str, ...] = ()
    citations: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class ThinkingBlock:
    """Thinking, with the signature that the API puts at its end.

    The server makes the signature if it is None. Another one is sent as it is, and refused when
    it comes back.
    """

    thinking: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class ToolUseBlock:
    """A call of a tool. `input` as a string is sent as it is, even if it is broken JSON.

    With `at_once` an object is sent with the block's start, as gateways of other providers do.
    """

    name: str
    input: JsonObject | str = field(default_factory=dict)
    id: str = field(default_factory=lambda: f"toolu_{uuid.uuid4().hex[:24]}")
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class SearchBlock:
    """A call of the API's own web search, which has its result in the same answer or the next."""

    query: str
    id: str = field(default_factory=lambda: f"srvtoolu_{uuid.uuid4().hex[:24]}")


@dataclass(frozen=True, slots=True)
class SearchResultBlock:
    """The result of the search with this id: the pages, or the code of an `error`."""

    id: str
    urls: tuple[str, ...] = ()
    error: str | None = None


Block: TypeAlias = TextBlock | ThinkingBlock | ToolUseBlock | SearchBlock | SearchResultBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts. `thinking_tokens` are part of `output_tokens`; None leaves them unsaid.

    `searches` counts searches of the web.
    """

    input_tokens: int = 10
    output_tokens: int = 7
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    thinking_tokens: int | None = None
    searches: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A message. Its events are made by `events.message_events`, in an order to count on.

    `stop_reason` None means "tool_use" if there is a call, else "end_turn". Deltas are
    `piece_chars` characters long; `delay_seconds` is the pause before each event after the
    first. `gates` are passed before the event of that index is sent, from 0. `model` None
    repeats what was asked for. `ping` sends one after the first block's start. `stop_details` is
    what the API says of a refusal, and `last_usage` goes over the counts at the end.
    """

    blocks: tuple[Block, ...] = ()
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: JsonObject | None = None
    last_usage: Mapping[str, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    piece_chars: int = 12
    delay_seconds: float = 0
    gates: Mapping[int, Gate] = field(default_factory=dict)
    ping: bool = False
    model: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: f"msg_{uuid.uuid4().hex[:24]}")


@dataclass(frozen=True, slots=True)
class Failure:
    """An HTTP error in place of an answer, such as `Failure(529, "overloaded_error", "...")`."""

    status: int
    error_type: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is dropped when `after` events of the answer have been sent.

    Without an answer it is dropped before the status line.
    """

    answer: Answer | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Silence:
    """Silence for `seconds` once `after` events have been sent; then the connection is dropped.

    None means as long as the client keeps the connection open.
    """

    answer: Answer | None = None
    after: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StreamError:
    """An `event: error` in place of the rest after `after` events."""

    answer: Answer
    after: int
    error_type: str = "overloaded_error"
    message: str = "Overloaded"


Reply: TypeAlias = Answer | Failure | Cut | Silence | StreamError
Script: TypeAlias = Callable[[MessagesRequest], Reply]


def text_answer(*pieces: str) -> Answer:
    """An answer of one text block, in these pieces."""
    return Answer(blocks=(TextBlock("".join(pieces), pieces),))


def web_search(
    query: str, *urls: str, error: str | None = None
) -> tuple[SearchBlock, SearchResultBlock]:
    """A search and its result."""
    search = SearchBlock(query)
    return search, SearchResultBlock(search.id, urls, error)


def in_order(*replies: Reply) -> Script:
    """A script of these replies in order, whatever the request; the last one is repeated."""
    left = list(replies)

    def next_reply(_: MessagesRequest) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return next_reply
