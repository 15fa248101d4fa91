"""Requests on their way, and no new ones while the gateway is about to end."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import GatewayError, Overloaded

MONITORS: Final = frozenset(("/livez", "/healthz", "/readyz"))
"""Also answered while the gateway is stopped, and beyond the limit of connections."""
STILL_SERVED: Final = MONITORS | {"/health"}
STOPPING: Final = "gateway_stopping"
COME_BACK_SECONDS: Final = 5
"""A gateway that is started again answers about then."""


class Traffic:
    """How many requests are being answered, and whether new ones are still taken.

    While `leaving`, they are, but `/readyz` says that they should go elsewhere.
    """

    def __init__(self) -> None:
        self.active = 0
        self.leaving = False
        self.draining = False


class TrafficControl:
    """ASGI middleware that counts requests in `traffic`, and refuses them with 503 once it drains."""

    def __init__(
        self,
        app: ASGIApp,
        traffic: Traffic,
        render: Callable[[Request, GatewayError], Response],
    ) -> None:
        self._app = app
        self._traffic = traffic
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._traffic.draining and scope["path"] not in STILL_SERVED:
            error = Overloaded(
                "The gateway is shutting down and accepts no new requests.",
                code=STOPPING,
                retry_after=COME_BACK_SECONDS,
            )
            response = self._render(Request(scope), error)
            response.headers["connection"] = "close"
            await response(scope, receive, send)
            return
        self._traffic.active += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._traffic.active -= 1
