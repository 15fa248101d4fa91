"""A call of a frontend's endpoint: as it arrives, decoded, and how its answer is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from starlette.requests import Request

from gateway.config.settings import LimitsConfig
from gateway.frontend.encoder import StreamEncoder
from gateway.types import ChatRequest, ChatResponse, Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as a frontend decodes it.

    `body` is parsed JSON within the limits of size and depth; `client` goes into each
    `ChatRequest`. `request` has the path, its parameters and the headers. `body_bytes` is the size
    of the body as it came.
    """

    body: Mapping[str, object]
    client: Client
    limits: LimitsConfig
    request: Request
    body_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A decoded request: its part for the hub, and the frontend's own.

    `requests` has one for each choice, at least one; `stop` are the sequences to cut at here, which a backend
    can't be given; `ignored` names fields without effect, in the client's spelling, and `adjusted`
    those whose value was replaced, with the new one. With `whole_texts`, `Encoding.whole` gets even
    very long texts as they are. `names` are the format's names of fields, where they differ from
    those that backends use (`RequestContext.names`). Raises `ValueError` for a call without a request, and for an empty
    stop sequence.
    """

    requests: tuple[ChatRequest, ...]
    stream: bool = False
    stop: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    adjusted: Mapping[str, object] = field(default_factory=dict)
    whole_texts: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.requests:
            raise ValueError("a call needs at least one request")
        if "" in self.stop:
            raise ValueError("a stop sequence must not be empty")

    @property
    def choices(self) -> int:
        """The number of answers."""
        return len(self.requests)


class Encoding(Protocol):
    """How the answers to one call are written."""

    def whole(self, responses: Sequence[ChatResponse]) -> object:
        """The JSON value of the whole answer, with a choice for each response.

        Texts of a response are to be put into it unchanged: very long ones are only filled in
        when they are sent. An encoding that changes or keeps them needs `Call.whole_texts`.
        """

    def stream(self, choices: int) -> StreamEncoder:
        """An encoder for a streamed answer with this number of choices."""


Decode: TypeAlias = Callable[[Incoming], tuple[Call, Encoding]]
"""Checks and translates a request. Raises `InvalidRequest`.

It runs in a thread if the body is large, so it must not use anything that is bound to the event loop.
"""
