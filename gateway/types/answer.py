"""An answer: the events of its stream, and the whole."""

from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from gateway.types.parts import AnswerPart, Citation, WebSearch

StopReason: TypeAlias = Literal["end", "stop_sequence", "max_tokens", "tool_calls", "refusal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one answer, and searches. The input is counted in three parts that do not overlap."""

    input_tokens: int = 0  # neither read from the cache nor written to it
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0  # thinking included
    reasoning_tokens: int = 0  # the part of the output that is thinking
    searches: int = 0  # of the web; they are charged besides the tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            **{
                each.name: getattr(self, each.name) + getattr(other, each.name)
                for each in fields(self)
            }
        )

    @property
    def prompt_tokens(self) -> int:
        """All input tokens, cached or not."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.prompt_tokens + self.output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseStart:
    """The first event. `model` is the model that answers, as the backend reports it."""

    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStart:
    """The start of a part. `part` has its kind, and the id and name of a call or search.

    It is still empty.
    """

    index: int  # from 0, in the order of the parts
    part: AnswerPart


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDelta:
    """The next piece of a part: text, thinking, a tool call's JSON arguments, or a search's query."""

    index: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCitation:
    """A source of the whole of a text part, at any time between its start and its end."""

    index: int
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEnd:
    """The end of a part. `signature` is that of a thinking part, if the backend gives one.

    `search` is a whole search with its result, which may come long after its query, when other
    parts have begun; None if it did not come.
    """

    index: int
    signature: str | None = None
    search: WebSearch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageUpdate:
    """The usage so far; a later one replaces an earlier one."""

    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseEnd:
    """The last event. A stream that ends without it is an error.

    `refusal` is the backend's explanation of a refusal, if any.
    """

    stop_reason: StopReason
    stop_sequence: str | None = None  # the one that ended the answer
    refusal: str | None = None


StreamEvent: TypeAlias = (
    ResponseStart | PartStart | PartDelta | PartCitation | PartEnd | UsageUpdate | ResponseEnd
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatResponse:
    """A whole answer, as `gateway.streams.collect` makes it from a stream."""

    parts: tuple[AnswerPart, ...]
    stop_reason: StopReason
    usage: Usage = Usage()
    model: str | None = None
    stop_sequence: str | None = None
    refusal: str | None = None
