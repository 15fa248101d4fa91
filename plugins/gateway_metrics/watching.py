"""Where the numbers come from: an observer of each answer, and middleware around all requests."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.context import Outcome, RequestContext
from gateway_metrics.registry import Metrics

SERVER_ERROR = 500


class AnswerObserver:
    """Counts one answer at its end, and its cost."""

    def __init__(self, model: str, ctx: RequestContext, metrics: Metrics) -> None:
        self._model = model
        self._ctx = ctx
        self._metrics = metrics

    def on_end(self, outcome: Outcome) -> None:
        """Count it."""
        self._metrics.count_answer(self._model, self._ctx, outcome)

    def on_cost(self, usd: float) -> None:
        """Add its cost."""
        self._metrics.count_cost(self._model, self._ctx, usd)


class CountRequests:
    """ASGI middleware that counts each request under its route's path, never under its own."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = SERVER_ERROR  # as further out, for an exception

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            self._metrics.count_http(getattr(scope.get("route"), "path", None), status)
