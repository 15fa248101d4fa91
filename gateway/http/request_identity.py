"""The outermost layer: each request has an id, and each answer says whose it is."""

import secrets
import time
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.request_state import RequestState

_ID_HEADER: Final = b"x-request-id"
_TIME_HEADER: Final = b"openai-processing-ms"
"""Read by client libraries on every answer, also on those that no frontend gave."""
_OWN: Final = (_ID_HEADER, _TIME_HEADER)


class RequestIdentity:
    """Gives each answer `x-request-id` and the time that it took until its headers.

    The id is made here, never taken from the client; it and `started` (`time.perf_counter()`)
    are in `RequestState`. What fails before there is an answer, in middleware too, is answered by
    `render`.
    """

    def __init__(self, app: ASGIApp, render: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = f"req_{secrets.token_hex(16)}"
        state = RequestState.of(scope)
        state.request_id, state.started = request_id, started
        answering = False

        async def send_identified(message: Message) -> None:
            nonlocal answering
            if message["type"] == "http.response.start":
                answering = True
                milliseconds = round((time.perf_counter() - started) * 1000)
                message["headers"] = [
                    *(pair for pair in message["headers"] if pair[0] not in _OWN),
                    (_ID_HEADER, request_id.encode()),
                    (_TIME_HEADER, b"%d" % milliseconds),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_identified)
        except Exception as error:
            if answering:
                raise  # the server breaks the connection, so that nobody takes this for the end
            await self._render(Request(scope), error)(scope, receive, send_identified)
