"""Watches one answer, and hands over the material of its row at the end."""

import time
from collections.abc import Callable
from contextlib import suppress

from gateway.context import Outcome, RequestContext
from gateway.errors import BackendFailed
from gateway.streams import AnswerBuilder
from gateway.types import ChatRequest, StreamEvent
from gateway_request_log.row import Answered, Bodies, explain


class RowObserver:
    """`put` gets the material of the row; its cost may be added later."""

    def __init__(
        self, request: ChatRequest, ctx: RequestContext, put: Callable[[Answered], None]
    ) -> None:
        self._request = request
        self._ctx = ctx
        self._put = put
        self._cost: float | None = None
        self._answered: Answered | None = None

    def on_end(self, outcome: Outcome) -> None:
        """Hand over. The request itself is not kept: it may be large, and rows may have to wait."""
        request, ctx = self._request, self._ctx
        del self._request
        self._answered = Answered(
            time.time() - outcome.duration,
            ctx.request_id,
            request.client.key,
            request.client.user_agent,
            request.model,
            len(request.tools),
            ctx.target,
            ctx.timings,
            outcome.status,
            outcome.stop_reason,
            outcome.model,
            outcome.duration,
            outcome.first_token,
            outcome.tool_calls,
            outcome.usage,
            None if outcome.error is None else explain(outcome.error),
            self._bodies(request),
            self._cost,
        )
        self._put(self._answered)

    def on_cost(self, usd: float) -> None:
        """Add to the row's cost; without effect if the row is written."""
        self._cost = (self._cost or 0) + usd
        if self._answered is not None:
            self._answered.cost = self._cost

    def _bodies(self, _: ChatRequest) -> Bodies | None:
        return None


class BodiesObserver(RowObserver):
    """Keeps the request and the answer as well."""

    def __init__(
        self, request: ChatRequest, ctx: RequestContext, put: Callable[[Answered], None]
    ) -> None:
        super().__init__(request, ctx, put)
        self._builder = AnswerBuilder()

    def on_event(self, event: StreamEvent) -> None:
        """Take a piece of the answer."""
        with suppress(BackendFailed):  # the frontend's to report; the row is wanted even so
            self._builder.add(event)

    def _bodies(self, request: ChatRequest) -> Bodies:
        return Bodies(request=request, answer=self._builder.parts())
