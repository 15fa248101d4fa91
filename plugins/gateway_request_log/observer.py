"""Watches one answer, and hands over its row when it has ended."""

import time
from collections.abc import Callable
from contextlib import suppress

from gateway.context import Outcome, RequestContext
from gateway.errors import BackendFailed
from gateway.streams import AnswerBuilder
from gateway.types import ChatRequest, PartDelta, PartStart, StreamEvent, ToolCall
from gateway_request_log.row import Bodies, Row, make_row


class RowObserver:
    """`put` gets the row, and the bodies if they are kept."""

    def __init__(
        self,
        request: ChatRequest,
        ctx: RequestContext,
        put: Callable[[Row, Bodies | None], None],
        *,
        bodies: bool,
    ) -> None:
        self._request = request
        self._ctx = ctx
        self._put = put
        self._builder = AnswerBuilder() if bodies else None
        self._first_token: float | None = None
        self._tool_calls = 0

    def on_event(self, event: StreamEvent) -> None:
        """Look for the first token, and count calls."""
        if isinstance(event, PartDelta):
            if self._first_token is None:
                self._first_token = time.perf_counter() - self._ctx.started
        elif isinstance(event, PartStart) and isinstance(event.part, ToolCall):
            self._tool_calls += 1
        if self._builder is not None:
            with suppress(BackendFailed):  # the frontend's to report; the row is wanted even so
                self._builder.add(event)

    def on_end(self, outcome: Outcome) -> None:
        """Make the row."""
        row = make_row(
            self._request,
            self._ctx,
            outcome,
            ended=time.time(),
            first_token=self._first_token,
            tool_calls=self._tool_calls,
        )
        bodies = None
        if self._builder is not None:
            bodies = Bodies(request=self._request, answer=self._builder.parts())
        self._put(row, bodies)
