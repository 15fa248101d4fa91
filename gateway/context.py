"""What goes along with one request and its answer, and the gateway that they go through."""

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
    """Where nobody wants to know."""


class AnswerGroup:
    """The answers that one call asks for (`n`); each of them has a `RequestContext`.

    `at_work` are the request ids of those that a backend has begun to work on, and that do not
    wait in line. `idle_since` is when it became empty (`time.monotonic()`).
    """

    def __init__(self) -> None:
        self.at_work: set[str] = set()
        self.idle_since = time.monotonic()

    def begin(self, request_id: str) -> None:
        """Note that an answer has all that it needs."""
        self.at_work.add(request_id)

    def rest(self, request_id: str) -> None:
        """Note that an answer is over, or has to wait again."""
        if request_id in self.at_work:
            self.at_work.discard(request_id)
            self.idle_since = time.monotonic()


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """The mutable side of one request. Everything else about it is frozen.

    `started` is `time.perf_counter()` at arrival. `ignored` names request fields that were
    not honoured, in the client's own spelling; `adjusted` those whose value was changed, with
    the new one. `headers` are sent with the answer, if they
    are set before its first event. `gateway` is the one that answers, and is there from
    `Gateway.open` on: its `config` has a plugin's section.

    `reopen` asks a backend once more within the same answer: for the request that it is given,
    whose model is looked up anew if it is another one. What it returns is the backend's own
    stream, not transformed, wrapped or observed; who called it passes the events on, and
    closes it. It is there from when `gateway_open_stream` is called.

    `report_cost` takes what a backend says that the answer cost, in US dollars. It may be called
    after the answer's end, as some only know it then, and more than once: costs add up.

    `end` ends the answer with an error, whatever it waits for at the time. Plugins may call it from
    wherever they find out that the answer must not go on.

    `timings` are seconds from arrival to what backends `mark`: "ready", when there is something
    that can answer and waiting in line is over, and "asked", when it was given the whole request.
    A backend without such steps marks nothing.

    `body_bytes` is the size of the request's body; what goes through all of a large one leaves the
    event loop (`gateway.load.off_loop`).

    `group` is shared with the other answers to the same call. `in_line` says whether this one
    is `waiting` for its turn, `moved_up` (`time.perf_counter()`) when it last had it, and
    `on_line` is told 1 when it begins to wait, and -1 when
    that is over.
    """

    request_id: str
    started: float = field(default_factory=time.perf_counter)
    body_bytes: int = 0
    target: Target | None = None
    ignored: list[str] = field(default_factory=list)
    adjusted: dict[str, object] = field(default_factory=dict)
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
        """Note that a step is reached; of one that is reached again, the last time counts."""
        self.timings[step] = time.perf_counter() - self.started
        if step == "ready":
            self.group.begin(self.request_id)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While this is open, the answer waits in line for something that others use.

        Its silence is then not the backend's: `limits.idle_seconds` does not count, and only
        `limits.request_seconds` does.
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
        self.ignored.extend(name for name in fields if name not in self.ignored)

    def adjust(self, fields: Mapping[str, object]) -> None:
        """Note that these request fields were changed to these values; a header says so."""
        self.adjusted.update(fields)
        if self.adjusted:
            said = (f"{name}={_plain(value)}" for name, value in self.adjusted.items())
            self.headers[_ADJUSTED_HEADER] = ",".join(said)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class Gateway(Protocol):
    """One gateway: its configuration, its models, the tools that it runs, and the way to answers.

    `offline` asks backends to answer without a network and without any account, and to say so in
    their answers. With `until_login` that is only until a backend has an account: it then sets
    both to False. `host` is what the gateway listens on, as it was named; `urls` are where it is
    served, empty for an application that is only called. A plugin that lets in nobody without a
    key sets `requires_keys`. `config` and `models` are others after a reload.
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
        """Start on an answer. The caller closes the stream that it gets.

        Raises `ModelNotFound`, and whatever transforms and backends raise, as `GatewayError`s;
        observers are told of that too. The backend itself begins with the stream's first event.
        """

    def resolve(self, name: str) -> Target:
        """Where a model name leads, aliases decided by code included. Raises `ModelNotFound`."""

    def find(self, name: str) -> "Found":
        """The model that a name leads to, and how. Raises `ModelNotFound`."""

    def describe(self, name: str) -> ModelDescription | None:
        """What is known of the model that a name leads to; of a split, what holds for each model.

        Raises `ModelNotFound`.
        """

    async def health(self) -> dict[str, Any]:
        """The report of `GET /health`: `status`, `version`, and each plugin's own part.

        The status is "ok", "degraded", "draining", or "starting" while a part has not found out
        yet.
        """

    def render_error(self, request: "Request", error: GatewayError) -> "Response":
        """An error in the form of the frontend that the path belongs to, with its headers."""

    def limits_itself(self, backend: str) -> None:
        """Leave the number of answers at a time to this backend: `limits.calls` does not hold.

        To be called no later than in `gateway_lifespan`.
        """


OutcomeStatus: TypeAlias = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an answer ended. Durations are in seconds since the request arrived.

    `first_event` is when the backend's first event came, `first_token` when the first piece of a
    part did; None if there was none. `tool_calls` is how many calls of the client's tools began.
    `cancelled` means that the client went away, or the answer was dropped half-way.
    """

    status: OutcomeStatus
    duration: float
    first_event: float | None = None
    first_token: float | None = None
    tool_calls: int = 0
    error: BaseException | None = None
    usage: Usage | None = None
    stop_reason: StopReason | None = None
    model: str | None = None


class StreamObserver(Protocol):
    """Watches one answer. Must be quick: it runs inline, while the client waits.

    Two more methods are called if an observer has them; both are optional.

    `on_event(event: StreamEvent)`: each event, in order, after all `gateway_wrap_stream`. What
    can do without it is told less, and costs less: an `Outcome` has the sums.

    `on_cost(usd: float)`: what a backend reports as the answer's cost. It comes when the backend
    knows it, which may be shortly after `on_end`, or never; more than one add up.
    """

    def on_end(self, outcome: Outcome) -> None:
        """Called exactly once, however the answer ended."""
