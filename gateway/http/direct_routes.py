"""Calling an endpoint without FastAPI, if it asks nothing of FastAPI.

FastAPI searches its routes one by one, looks for parameters and dependencies, and opens four exit
stacks for each request. That took longer than to decode a short conversation (FastAPI 0.165). The
routes are still its own: the description of the API has them, and any other request gets there.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import GatewayError

Table: TypeAlias = Mapping[tuple[str, str], APIRoute]
"""Routes by method and path."""

_HANDLED: Final = (GatewayError, HTTPException)


class DirectRoutes:
    """The innermost middleware: calls the endpoints of `table`, and passes on all other requests.

    `render` is for errors of the endpoints until an answer begins, as in the application.
    """

    def __init__(
        self, app: ASGIApp, table: Table, render: Callable[[Request, Exception], Response]
    ) -> None:
        self._app = app
        self._table = table
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = None
        if scope["type"] == "http" and not scope.get("root_path"):
            route = self._table.get((scope["method"], scope["path"]))
        if route is None:
            await self._app(scope, receive, send)
            return
        scope.update(route=route, endpoint=route.endpoint, path_params={})
        await self._call(route, Request(scope, receive, send), scope, receive, send)

    async def _call(
        self, route: APIRoute, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        answering = False

        async def send_noting(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            response = await route.endpoint(request)
            await response(scope, receive, send_noting)
        except _HANDLED as error:
            if answering:
                raise  # the server breaks the connection, so that nobody takes this for the end
            await self._render(request, error)(scope, receive, send)


def direct_routes(routes: Sequence[BaseRoute]) -> Table:
    """The routes that can be called directly, out of all in their order.

    They have a path without parameters, which no earlier route takes; no dependencies; and an
    endpoint that takes the request alone.
    """
    found = {
        (method, route.path): route
        for route in routes
        if isinstance(route, APIRoute)
        and not route.dependencies
        and takes_request_alone(route.endpoint)
        for method in route.methods or ()
        if "{" not in route.path
    }
    return {key: route for key, route in found.items() if _first_for(key, routes) is route}


def takes_request_alone(endpoint: Callable[..., Any]) -> bool:
    """Whether an endpoint needs nothing but the request, and returns a whole response.

    It is an `async def` with one parameter of the type `Request`, and returns a `Response`.
    """
    if not inspect.iscoroutinefunction(endpoint):
        return False
    signature = inspect.signature(endpoint)
    returned = signature.return_annotation
    is_response = isinstance(returned, type) and issubclass(returned, Response)
    return is_response and [each.annotation for each in signature.parameters.values()] == [Request]


def _first_for(key: tuple[str, str], routes: Sequence[BaseRoute]) -> BaseRoute | None:
    """The route that such a request gets to."""
    method, path = key
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return next((each for each in routes if each.matches(scope)[0] is Match.FULL), None)
