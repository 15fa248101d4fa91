"""Errors as HTTP answers, in the form of the frontend that a request belongs to."""

import logging
import math

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.errors import GatewayError
from gateway.frontend.registration import Frontends
from gateway.hooks.registry import PluginRegistry

log = logging.getLogger("gateway")


def render_error(
    plugins: PluginRegistry, frontends: Frontends, request: Request, error: GatewayError
) -> Response:
    """An error in the form of the frontend that the request belongs to, with its headers.

    `gateway_render_error` comes first. Plain JSON where neither has a form for it, or fails.
    """
    response = _rendered(plugins, frontends, request, error)
    if response is None:
        response = JSONResponse({"error": {"message": error.message}}, error.status)
    if error.retry_after is not None:
        # Rounded up: a client that comes back too early is rejected again.
        response.headers["retry-after"] = str(max(0, math.ceil(error.retry_after)))
    if error.should_retry is not None:
        response.headers["x-should-retry"] = "true" if error.should_retry else "false"
    return response


def _rendered(
    plugins: PluginRegistry, frontends: Frontends, request: Request, error: GatewayError
) -> Response | None:
    try:
        rendered = plugins.hooks.render_error(error, request)
        if rendered is None and (frontend := frontends.of(request)) is not None:
            rendered = frontend.render_error(error, request)
            if not isinstance(rendered, Response):
                kind = type(rendered).__name__
                log.error("the frontend %s rendered an error as %s", frontend.name, kind)
                return None
    except Exception:
        log.exception("an error could not be rendered: %s", error)
        return None
    return rendered
