"""Rejecting a request, in the form of the frontend that its path belongs to."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError
from gateway.interface import Gateway

POLICY_VIOLATION: Final = 1008
"""RFC 6455, 7.4.1. Before a WebSocket is accepted, the client sees a 403 instead."""


class Reject:
    """Answers requests with an error."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(
        self,
        error: GatewayError,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send the error; nothing of the request's body is read."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        response = self._gateway.render_error(Request(scope), error)
        response.headers.update(headers or {})
        await response(scope, receive, send)
