"""The last requests that failed, for `dragoman status`: in memory, and nothing of their content."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from gateway.context import Outcome, RequestContext
from gateway.errors import (
    BackendUnavailable,
    GatewayError,
    NotAuthenticated,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    TimedOut,
)

KEPT: Final = 20
LONGEST: Final = 300

_ABOUT_US: Final = (BackendUnavailable, NotAuthenticated, Overloaded, RateLimited, TimedOut)
"""Errors whose text is about the gateway, the CLI and the login; others may quote a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRequest:
    """`status` is the HTTP status, `kind` the error's class. `message` is empty if it may quote.

    `account` says why the backend's account is refused ("plan_used_up"), if that is the reason.
    """

    at: str
    request_id: str
    model: str
    status: int
    kind: str
    message: str
    account: str | None = None


class RecentErrors:
    """A ring of the last ones. `now` is the clock on the wall."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._ring: deque[FailedRequest] = deque(maxlen=KEPT)
        self.answered = 0
        self.failed = 0

    def note(self, ctx: RequestContext, outcome: Outcome) -> None:
        """Count an answer, and keep it if it failed."""
        if outcome.status == "completed":
            self.answered += 1
        if outcome.status != "failed" or outcome.error is None:
            return
        self.failed += 1
        self._ring.append(_failed(ctx, outcome.error, self._now()))

    def report(self) -> list[dict[str, Any]]:
        """The newest first."""
        return [asdict(each) for each in reversed(self._ring)]


class Watch:
    """The observer of one answer."""

    def __init__(self, errors: RecentErrors, ctx: RequestContext) -> None:
        self._errors = errors
        self._ctx = ctx

    def on_end(self, outcome: Outcome) -> None:
        """Called once for each answer."""
        self._errors.note(self._ctx, outcome)


def _failed(ctx: RequestContext, error: BaseException, at: datetime) -> FailedRequest:
    return FailedRequest(
        at=at.isoformat(timespec="seconds"),
        request_id=ctx.request_id,
        # the name as the client wrote it may be anything; the one that it led to is ours
        model=ctx.target.model if ctx.target is not None else "unknown",
        status=error.status if isinstance(error, GatewayError) else 500,
        kind=type(error).__name__,
        message=str(error)[:LONGEST] if isinstance(error, _ABOUT_US) else "",
        account=getattr(error, "state", None) if isinstance(error, QuotaExhausted) else None,
    )
