"""Failures as HTTP answers: every one is a `GatewayError`, in the form of the frontend it hit."""

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

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
from gateway.http.suggest_path import suggest_path
from gateway.interface import Gateway

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
    response = gateway.render_error(request, as_gateway_error(request, error))
    if isinstance(error, HTTPException):
        for name, value in (error.headers or {}).items():
            response.headers.setdefault(name, value)
    return response


def as_gateway_error(request: Request, error: Exception) -> GatewayError:
    """What an exception out of a route, FastAPI or Starlette means to a client."""
    match error:
        case RequestValidationError():
            return _invalid(error)
        case HTTPException(status_code=404):
            return NotFound(_nothing_there(request))
        case HTTPException(status_code=405):
            what = f"{request.method} {request.url.path}"
            return MethodNotAllowed(f"{what} is not allowed for this path.")
        case HTTPException():
            fallback = InvalidRequest if error.status_code < ServerFault.status else ServerFault
            return _BY_STATUS.get(error.status_code, fallback)(str(error.detail))
        case _:
            return as_server_fault(error)


def _nothing_there(request: Request) -> str:
    path = request.url.path
    says = f"Unknown path: {request.method} {path}."
    near = suggest_path(request.method, path, request.app.state.served)
    if near is None:
        return says
    return f"{says} Did you mean {near}? Check the client's base URL."


def _invalid(error: RequestValidationError) -> InvalidRequest:
    problem = error.errors()[0]
    _, *steps = problem["loc"]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    param = path.removeprefix(".") or None
    return InvalidRequest(f"{problem['msg']}: {param}" if param else problem["msg"], param=param)
