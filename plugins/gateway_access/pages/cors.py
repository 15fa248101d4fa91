"""The headers by which a page may read an answer, or the rejection that it gets instead of one.

Browsers ask before a request with JSON or a key in it (a preflight; Fetch standard, "CORS
protocol"), and show a page nothing of an answer that does not name its origin. To a page that may
not use the gateway, both are granted for one thing only: the rejection, whose text says what to do.
A preflight allows nothing by itself, as every request is checked when it comes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway_access.config import NULL, is_origin
from gateway_access.rejected_pages import MAX_NAME

NOT_KEPT: Final = "0"
"""Seconds for which a browser remembers the preflight: once the origin is listed, it asks again."""
_ASKS_FOR_NETWORK: Final = "access-control-request-private-network"
_TOKENS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}")


def is_preflight(scope: Scope, headers: Headers) -> bool:
    """Whether a browser asks on behalf of a page which requests it may send."""
    return scope.get("method") == "OPTIONS" and "access-control-request-method" in headers


def headers_to_read_rejection(origin: str | None) -> dict[str, str]:
    """The headers of a rejection that let the page of this very origin read it. Empty for odd ones."""
    if origin is None or len(origin) > MAX_NAME or not (origin == NULL or is_origin(origin)):
        return {}
    return {"access-control-allow-origin": origin, "vary": "Origin"}


def answer_to_rejected_preflight(origin: str | None, asked: Headers) -> Response | None:
    """The answer to a preflight upon which the browser sends the request, which is then rejected.

    Without credentials, and for this time only. None where the page could not read the rejection.
    """
    headers = headers_to_read_rejection(origin)
    if not headers:
        return None
    for name in ("method", "headers"):
        value = asked.get(f"access-control-request-{name}", "")
        if _TOKENS.fullmatch(value):
            headers[f"access-control-allow-{name.removesuffix('s')}s"] = value
    headers["access-control-max-age"] = NOT_KEPT
    return Response(status_code=204, headers={**headers, **_network(asked)})


def opened_to(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The application with the headers that let the pages of these origins use it."""
    if not origins:
        return app
    cors = CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["*"],
    )

    async def with_network(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        network = _network(headers) if is_preflight(scope, headers) else {}

        async def send_with_network(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(network)
            await send(message)

        await cors(scope, receive, send_with_network if network else send)

    return with_network


def _network(asked: Headers) -> Mapping[str, str]:
    """Chrome before 142 asks so for a page of the internet ("Private Network Access"); since then it
    asks the user (developer.chrome.com/blog/pna-on-hold, "Local Network Access")."""
    if asked.get(_ASKS_FOR_NETWORK) == "true":
        return {"access-control-allow-private-network": "true"}
    return {}
