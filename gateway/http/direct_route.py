"""Routes that ask nothing of FastAPI but their place in the description of the API.

FastAPI's own handler looks for parameters, solves dependencies and opens three exit stacks for each
request: 0.1 ms, as long as it takes to decode a short conversation (seen with FastAPI 0.165).
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class DirectRoute(APIRoute):
    """FastAPI's route, except that an endpoint is called directly if it takes the request alone.

    Such an endpoint is an `async def` with one parameter of the type `Request`, and returns a
    `Response`. Its errors are those of the application, as with every other endpoint.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - as FastAPI has them
        super().__init__(path, endpoint, **options)
        if not self.dependencies and takes_request_alone(endpoint):
            self.app = _application(endpoint)


def takes_request_alone(endpoint: Callable[..., Any]) -> bool:
    """Whether an endpoint needs nothing but the request, and returns a whole response."""
    if not inspect.iscoroutinefunction(endpoint):
        return False
    signature = inspect.signature(endpoint)
    returned = signature.return_annotation
    is_response = isinstance(returned, type) and issubclass(returned, Response)
    return is_response and [each.annotation for each in signature.parameters.values()] == [Request]


def _application(endpoint: Endpoint) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

    return call
