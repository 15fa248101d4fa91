"""Failures as HTTP answers: every one is a `GatewayError`, in the form of the frontend it hit."""

import logging
import math

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.errors import (
    GatewayError,
    InvalidRequest,
    MethodNotAllowed,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    ServerFault,
    TooSlow,
    UnsupportedMediaType,
    as_server_fault,
)
from gateway.near_paths import path_meant
from gateway.pipeline import Gateway

log = logging.getLogger("gateway")

_BY_STATUS: dict[int, type[GatewayError]] = {
    401: NotAuthenticated,
    403: NotAllowed,
    408: TooSlow,
    413: PayloadTooLarge,
    415: UnsupportedMediaType,
    429: RateLimited,
}


def render_failure(gateway: Gateway, request: Request, error: Exception) -> Response:
    """The answer to a request that failed with whatever exception."""
    response = render_error(gateway, request, as_gateway_error(request, error))
    if isinstance(error, HTTPException):
        for name, value in (error.headers or {}).items():
            response.headers.setdefault(name, value)
    return response


def render_error(gateway: Gateway, request: Request, error: GatewayError) -> Response:
    """An error in the form of the frontend that the path belongs to, with its headers.

    Plain JSON where no frontend has a form for it, or fails at giving one.
    """
    response = _rendered(gateway, request, error)
    if response is None:
        response = JSONResponse({"error": {"message": error.message}}, error.status)
    if error.retry_after is not None:
        # Rounded up: a client that comes back too early is refused again.
        response.headers["retry-after"] = str(max(0, math.ceil(error.retry_after)))
    if error.should_retry is not None:
        response.headers["x-should-retry"] = "true" if error.should_retry else "false"
    return response


def _rendered(gateway: Gateway, request: Request, error: GatewayError) -> Response | None:
    try:
        rendered = gateway.plugins.call_first("gateway_render_error", error=error, request=request)
    except GatewayError:
        log.exception("an error could not be rendered: %s", error)
        return None
    return rendered if isinstance(rendered, Response) else None


def as_gateway_error(request: Request, error: Exception) -> GatewayError:
    """What an exception out of a route, FastAPI or Starlette means to a client."""
    match error:
        case RequestValidationError():
            return _invalid(error)
        case HTTPException(status_code=404):
            return NotFound(_nothing_there(request))
        case HTTPException(status_code=405):
            what = f"{request.method} {request.url.path}"
            return MethodNotAllowed(f"{what} is not allowed: the path takes other methods.")
        case HTTPException():
            fallback = InvalidRequest if error.status_code < ServerFault.status else ServerFault
            return _BY_STATUS.get(error.status_code, fallback)(str(error.detail))
        case _:
            return as_server_fault(error)


def _nothing_there(request: Request) -> str:
    path = request.url.path
    says = f"There is nothing at {request.method} {path}."
    near = path_meant(request.method, path, request.app.state.served)
    if near is None:
        return says
    return f"{says} Did you mean {near}? Check the client's base URL."


def _invalid(error: RequestValidationError) -> InvalidRequest:
    problem = error.errors()[0]
    _, *steps = problem["loc"]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    param = path.removeprefix(".") or None
    return InvalidRequest(f"{problem['msg']}: {param}" if param else problem["msg"], param=param)
