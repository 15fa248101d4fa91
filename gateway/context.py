"""What goes along with one request through the pipeline, and with one answer out of it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from gateway.types import StopReason, StreamEvent, Target, Usage


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """The mutable side of one request. Everything else about it is frozen.

    `started` is `time.perf_counter()` at arrival. `ignored` names request fields that were
    not honoured, in the client's own spelling. `headers` are sent with the answer, if they
    are set before its first event. `timings` are seconds from arrival to what backends `mark`:
    "ready", when there is something that can answer and waiting in line is over, and "asked", when
    it was given the whole request. A backend without such steps marks nothing.
    """

    request_id: str
    started: float = field(default_factory=time.perf_counter)
    target: Target | None = None
    ignored: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)

    def mark(self, step: Literal["ready", "asked"]) -> None:
        """Note that a step is reached; of one that is reached again, the last time counts."""
        self.timings[step] = time.perf_counter() - self.started

    def ignore(self, fields: Iterable[str]) -> None:
        """Note that these request fields have no effect on the answer."""
        self.ignored.extend(name for name in fields if name not in self.ignored)


OutcomeStatus: TypeAlias = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an answer ended. Durations are in seconds since the request arrived.

    `first_event` is when the backend's first event came, None if there was none.
    `cancelled` means that the client went away, or the answer was dropped half-way.
    """

    status: OutcomeStatus
    duration: float
    first_event: float | None = None
    error: BaseException | None = None
    usage: Usage | None = None
    stop_reason: StopReason | None = None
    model: str | None = None


class StreamObserver(Protocol):
    """Watches one answer. Must be quick: it runs inline, between two events."""

    def on_event(self, event: StreamEvent) -> None:
        """Called with each event, in order, after all `gateway_wrap_stream`."""

    def on_end(self, outcome: Outcome) -> None:
        """Called exactly once, however the answer ended."""
