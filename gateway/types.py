"""The hub: a chat request and its answer, independent of any wire format.

Frontends decode into these values and encode from them; backends answer with them.
All of them are frozen: a plugin that changes one makes a new one with `dataclasses.replace`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = [
    "AnswerPart",
    "ChatRequest",
    "ChatResponse",
    "Citation",
    "Client",
    "Document",
    "Effort",
    "Image",
    "InputKind",
    "Message",
    "ModelDescription",
    "ModelFact",
    "Parameter",
    "Part",
    "PartCitation",
    "PartDelta",
    "PartEnd",
    "PartStart",
    "ResponseEnd",
    "ResponseFormat",
    "ResponseStart",
    "Role",
    "Sampling",
    "Source",
    "StopReason",
    "StreamEvent",
    "Target",
    "Text",
    "Thinking",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolResult",
    "Usage",
    "UsageUpdate",
    "UserLocation",
    "WebSearch",
    "WebSearchOptions",
]

Role: TypeAlias = Literal["user", "assistant"]
Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
StopReason: TypeAlias = Literal["end", "stop_sequence", "max_tokens", "tool_calls", "refusal"]


# -- the parts of a message ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A page that the model cites, with its words if the backend quotes them."""

    url: str
    title: str | None = None
    quoted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Plain text.

    `speaker` is "system" for the text of a system message that came after the first turn: it is
    kept in its place, as a part of a user's message, but is not the user's. Otherwise None.
    `citations` are the sources of the whole of this text, if it is the model's.
    """

    text: str
    speaker: Literal["system"] | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """The model's own reasoning. `signature` is the backend's proof of it, opaque to others."""

    text: str
    signature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture: either `data` (base64, with its `media_type`) or a `url` that the backend fetches.

    `place` is its path in the client's request, for errors.
    """

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file to be read: `data` in base64 for `application/pdf`, the text itself for `text/*`.

    `place` is its path in the client's request, for errors.
    """

    media_type: str
    data: str
    title: str | None = None  # such as the file's name
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call of a tool by the model. `arguments` is JSON text, exactly as the model wrote it."""

    id: str
    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """The result of the call with the id `call_id`."""

    call_id: str
    parts: tuple["Text | Image | Document", ...] = ()
    is_error: bool = False  # the model is told that the call failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A page that a search has found."""

    url: str
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSearch:
    """A search of the web that the provider made while it answered.

    `status` "incomplete" is a search whose result did not come in this answer; `error` is the
    backend's word for the reason of a failed one, such as "max_uses_exceeded".
    """

    id: str
    query: str = ""
    sources: tuple[Source, ...] = ()
    status: Literal["completed", "failed", "incomplete"] = "incomplete"
    error: str | None = None


Part: TypeAlias = Text | Thinking | Image | Document | ToolCall | ToolResult | WebSearch
AnswerPart: TypeAlias = Text | Thinking | ToolCall | WebSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn. Tool results are parts of a user message; system text is not a message."""

    role: Role
    parts: tuple[Part, ...]


# -- a request ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that the model may call. `schema` is the JSON Schema of its arguments, as given.

    `place` is where the client's request has that schema, such as `tools[2].function.parameters`,
    for errors about it; None for a tool that is not the client's.
    """

    name: str
    description: str = ""  # for the model
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    strict: bool | None = None  # arguments must match the schema; None if the client did not say
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    """The tools that the model may or must call.

    `mode` "auto" leaves it to the model, "none" forbids calls, and "required" demands one. `names`,
    if not empty, are the only tools allowed. `parallel=False` allows one call a turn at most.
    """

    mode: Literal["auto", "none", "required"] = "auto"
    names: tuple[str, ...] = ()
    parallel: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLocation:
    """About where the user is: `country` is an ISO 3166-1 alpha-2 code, `timezone` an IANA name."""

    city: str | None = None
    region: str | None = None
    country: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSearchOptions:
    """The model may search the web, by a tool that the provider runs.

    `max_uses` limits the searches of an answer; None leaves that to the backend. Pages are of
    `allowed_domains` only, if there are any, and never of `blocked_domains`. `place` is the field
    of the client's request that asks for it, for errors and headers; None if no client did.
    """

    max_uses: int | None = None
    context_size: Literal["low", "medium", "high"] | None = None
    location: UserLocation | None = None
    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFormat:
    """The form of the answer's text. `schema` is for the kind "json_schema" only."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    schema: Mapping[str, Any] | None = None  # a JSON Schema
    name: str | None = None  # the client's name for the schema
    strict: bool = False  # the answer must match the schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Sampling parameters and limits. None or empty means the backend's own default.

    `max_output_tokens` counts tokens, thinking included; `stop` sequences end the answer
    and are not part of it.
    """

    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The client: the name of its key, if keys are required, its `User-Agent`, and its IP address.

    `proxied`: the request says that a proxy passed it on, so the address may be that of many.
    """

    key: str | None = None
    user_agent: str | None = None
    address: str | None = None
    proxied: bool = False

    @property
    def caller(self) -> str:
        """Identifies the caller: by its key, or without keys by its address.

        With a key the address is ignored: it changes with the network and behind proxies.
        """
        return f"key {self.key}" if self.key is not None else f"address {self.address or ''}"

    @property
    def may_be_many(self) -> bool:
        """Whether the `caller` may be several people or programs of theirs."""
        return self.key is None and self.proxied


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One request for one answer.

    `model` is the name that the client asked for. With `thinking` False the model does not think
    before it answers; None leaves that to the backend. `extensions` holds data for single plugins,
    under each plugin's own name.
    """

    model: str
    messages: tuple[Message, ...]  # the oldest first
    system: str = ""  # the system text before the first message
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    web_search: WebSearchOptions | None = None  # None: the client does not ask for it
    response_format: ResponseFormat = ResponseFormat()
    sampling: Sampling = Sampling()
    effort: Effort | None = None  # None leaves it to the backend
    thinking: bool | None = None
    client: Client = Client()
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The result of resolving a model name: the backend, and the model's name there.

    `model` is the name in the model map. `sampling` tells whether the model accepts a temperature
    and the like; with "auto", the backend finds out. `options` are for the backend.
    """

    model: str
    backend: str
    name: str  # the backend's name for the model
    sampling: bool | Literal["auto"] = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)


# -- the description of a model -----------------------------------------------------------

Parameter: TypeAlias = Literal[
    "max_output_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "tools",
    "tool_choice",
    "web_search",
    "response_format",
    "effort",
]
InputKind: TypeAlias = Literal["text", "image", "document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFact:
    """One fact about a model, for people.

    `origin` is the kind of source in a word, `source` the page or the text, and `date` the day
    (ISO 8601) of the observation, if it was observed.
    """

    name: str
    value: str
    origin: str
    source: str = ""
    date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """A backend's description of a model; None means unknown.

    `resolved` is the full name of the model that answers. `context_length` and
    `max_output_tokens` count tokens. `parameters` are those of a request that have an effect,
    `efforts` the levels that differ for this model, in ascending order, and `thinking` tells
    whether it thinks before it answers.
    """

    resolved: str | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    parameters: tuple[Parameter, ...] | None = None
    efforts: tuple[Effort, ...] | None = None
    thinking: Literal["never", "optional", "always"] | None = None
    inputs: tuple[InputKind, ...] | None = None  # the kinds of parts that the model accepts
    facts: tuple[ModelFact, ...] = ()  # the sources of the above


# -- the answer, as it arrives ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one answer, and searches. The input is counted in three parts that do not overlap."""

    input_tokens: int = 0  # neither read from the cache nor written to it
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0  # thinking included
    reasoning_tokens: int = 0  # the part of the output that is thinking
    searches: int = 0  # of the web; they are charged besides the tokens

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
