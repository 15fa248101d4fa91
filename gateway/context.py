"""The context of one request and its answer, and the gateway that answers it."""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from gateway.errors import GatewayError
from gateway.types import ChatRequest, ModelDescription, StopReason, Target, Usage

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.config.settings import Config
    from gateway.models.model_map import Found, ModelMap
    from gateway.streams import AnswerStream, EventSource
    from gateway.tools import ServedTools

__all__ = [
    "AnswerGroup",
    "Gateway",
    "Outcome",
    "OutcomeStatus",
    "RequestContext",
    "StreamObserver",
]

_ADJUSTED_HEADER = "x-dragoman-adjusted"


def _not_watched(_: object) -> None:
    """The default of callbacks."""


class AnswerGroup:
    """The answers that one call asks for (`n`); each of them has a `RequestContext`.

    `at_work` has the request ids of those that a backend works on; those in a queue are not in it.
    `idle_since` is when it became empty (`time.monotonic()`).
    """

    def __init__(self) -> None:
        self.at_work: set[str] = set()
        self.idle_since = time.monotonic()

    def begin(self, request_id: str) -> None:
        """Note that a backend works on an answer."""
        self.at_work.add(request_id)

    def rest(self, request_id: str) -> None:
        """Note that an answer has ended, or waits again."""
        if request_id in self.at_work:
            self.at_work.discard(request_id)
            self.idle_since = time.monotonic()


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """The mutable side of one request. Everything else about it is frozen.

    `started` is `time.perf_counter()` at arrival. `target` is the backend and the model, once the
    model's name is resolved. `ignored` names request fields that were not honoured, in the client's
    own spelling; `adjusted` has those whose value was changed, with the new one. `names` are the
    client's names of fields, where they differ from those that backends use. `headers` are sent
    with the answer if they are set before its first event. `gateway` is set by `Gateway.open`: its
    `config` has a plugin's section.

    `reopen` opens another backend stream within the same answer, for the request that it is given;
    another model is looked up anew. The stream is the backend's own, not transformed, wrapped or
    observed, and the caller passes its events on and closes it. `reopen` is set before
    `gateway_open_stream` is called.

    `report_cost` takes the cost of the answer in US dollars, as the backend reports it. It may be
    called after the answer's end, and more than once: costs add up.

    `end` ends the answer with an error, whatever it waits for at the time. Any plugin that finds that
    the answer must not go on may call it.

    `timings` are seconds from arrival to the steps that backends `mark`: "ready", when the queue is
    over and a process can answer, and "asked", when it has the whole request. A backend without such
    steps marks nothing.

    `body_bytes` is the size of the request's body. Work on all of a large one leaves the event loop.

    `group` is shared with the other answers to the same call. `in_line` is True while this one is
    `waiting` in a queue, `moved_up` is when it last left one (`time.perf_counter()`), and `on_line` is
    called with 1 when it begins to wait, and with -1 when it stops.
    """

    request_id: str
    started: float = field(default_factory=time.perf_counter)
    body_bytes: int = 0
    target: Target | None = None
    ignored: list[str] = field(default_factory=list)
    adjusted: dict[str, object] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    group: AnswerGroup = field(default_factory=AnswerGroup, repr=False, compare=False)
    in_line: bool = False
    moved_up: float = 0
    on_line: Callable[[int], None] = field(default=_not_watched, repr=False, compare=False)
    reopen: "Callable[[ChatRequest], Awaitable[EventSource]] | None" = None
    report_cost: Callable[[float], None] = field(default=_not_watched, repr=False, compare=False)
    end: Callable[[GatewayError], None] = field(default=_not_watched, repr=False, compare=False)
    gateway: "Gateway" = field(init=False, repr=False, compare=False)

    def mark(self, step: Literal["ready", "asked"]) -> None:
        """Note that a step is reached; if it is reached again, the last time counts."""
        self.timings[step] = time.perf_counter() - self.started
        if step == "ready":
            self.group.begin(self.request_id)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While this is open, the answer waits in a queue.

        `limits.idle_seconds` does not count meanwhile; `limits.request_seconds` does.
        """
        self.group.rest(self.request_id)
        self.in_line = True
        self.on_line(1)
        try:
            yield
        finally:
            self.in_line = False
            self.moved_up = time.perf_counter()
            self.on_line(-1)

    def ignore(self, fields: Iterable[str]) -> None:
        """Note that these request fields have no effect on the answer."""
        own = (self.names.get(name, name) for name in fields)
        self.ignored.extend(name for name in own if name not in self.ignored)

    def adjust(self, fields: Mapping[str, object]) -> None:
        """Note that these request fields were changed to these values; a header says so."""
        self.adjusted.update({self.names.get(name, name): each for name, each in fields.items()})
        if self.adjusted:
            said = (f"{name}={_plain(value)}" for name, value in self.adjusted.items())
            self.headers[_ADJUSTED_HEADER] = ",".join(said)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class Gateway(Protocol):
    """One gateway: its configuration, its models, the tools that it runs, and the way to answers.

    `config` and `models` are replaced when the YAML has changed. `offline` asks backends to answer
    without a network and without any account, and to say so in their answers. With `until_login`
    that is only until a backend has an account: it then sets both to False. `host` is the host to
    listen on, as it was configured; `urls` are the origins that are served, empty for an application
    without a server. A plugin that rejects all requests without a key sets `requires_keys`.
    """

    config: "Config"
    models: "ModelMap"
    tools: "ServedTools"
    offline: bool
    until_login: bool
    host: str
    urls: tuple[str, ...]
    requires_keys: bool

    @property
    def draining(self) -> bool:
        """Whether the gateway is stopping: running answers may finish, new requests get a 503."""

    async def open(self, request: ChatRequest, ctx: RequestContext) -> "AnswerStream":
        """Open an answer. The caller closes the stream.

        Raises `ModelNotFound`, and `GatewayError`s of transforms and backends; observers get them as
        well. The backend itself starts when the first event is requested.
        """

    def resolve(self, name: str) -> Target:
        """Resolve a model name, by plugins' aliases as well. Raises `ModelNotFound`."""

    def find(self, name: str) -> "Found":
        """The model that a name leads to, and the steps in between. Raises `ModelNotFound`."""

    def describe(self, name: str) -> ModelDescription | None:
        """The description of the model that a name leads to; for a split, what all have in common.

        Raises `ModelNotFound`.
        """

    async def health(self) -> dict[str, Any]:
        """The report of `GET /health`: `status`, `version`, and each plugin's own part.

        The status is "ok", "degraded", "draining", or "starting" while that of a part is unknown.
        """

    def render_error(self, request: "Request", error: GatewayError) -> "Response":
        """An error in the form of the frontend that the path belongs to, with its headers."""

    def forget(self, caller: str) -> None:
        """Have everything forgotten that is kept for a caller (`Client.caller`) who is gone."""
        ...

    def limits_itself(self, backend: str) -> None:
        """Exempt a backend that has a limit and a queue of its own from `limits.calls`.

        To be called in `gateway_lifespan` at the latest.
        """


OutcomeStatus: TypeAlias = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of an answer. Times are in seconds since the request arrived.

    `first_event` is the time of the backend's first event, `first_token` that of the first piece of
    a part; None if there was none. `tool_calls` counts the calls of the client's tools. The status
    "cancelled" means that the client disconnected, or that the answer was dropped half-way. `model`
    is the one that the backend reports.
    """

    status: OutcomeStatus
    duration: float  # until the end
    first_event: float | None = None
    first_token: float | None = None
    tool_calls: int = 0
    error: BaseException | None = None  # of an answer that failed or was cancelled
    usage: Usage | None = None  # the last one reported
    stop_reason: StopReason | None = None  # of a completed answer
    model: str | None = None


class StreamObserver(Protocol):
    """Watches one answer. Must be quick: it runs inline, while the client waits.

    Two more methods are called if an observer has them; both are optional.

    `on_event(event: StreamEvent)`: called with each event, in order, after all `gateway_wrap_stream`.
    Observers without it cost less; an `Outcome` has the sums.

    `on_cost(usd: float)`: called with the answer's cost as the backend reports it, which may be
    shortly after `on_end`, or never; several add up.
    """

    def on_end(self, outcome: Outcome) -> None:
        """Called exactly once, however the answer ended."""
