"""A request for an answer, and the model that it leads to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from gateway.types.parts import Message

Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


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
