"""Errors as HTTP answers, in the form of the frontend that a path belongs to."""

import logging
import math

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.errors import GatewayError
from gateway.hooks.registry import PluginRegistry

log = logging.getLogger("gateway")


def render_error(plugins: PluginRegistry, request: Request, error: GatewayError) -> Response:
    """An error in the form of the frontend that the path belongs to, with its headers.

    Plain JSON where no frontend has a form for it, or fails at giving one.
    """
    response = _rendered(plugins, request, error)
    if response is None:
        response = JSONResponse({"error": {"message": error.message}}, error.status)
    if error.retry_after is not None:
        # Rounded up: a client that comes back too early is rejected again.
        response.headers["retry-after"] = str(max(0, math.ceil(error.retry_after)))
    if error.should_retry is not None:
        response.headers["x-should-retry"] = "true" if error.should_retry else "false"
    return response


def _rendered(plugins: PluginRegistry, request: Request, error: GatewayError) -> Response | None:
    try:
        return plugins.hooks.render_error(error, request)
    except GatewayError:
        log.exception("an error could not be rendered: %s", error)
        return None
