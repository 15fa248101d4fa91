"""All errors, as one tree. Frontends turn these into their own error envelopes.

GatewayError
├── InvalidRequest            400  the request itself; `param` names the place
│   ├── UnsupportedParameter  400  a field or value that can't be honoured
│   ├── ContextTooLong        400  more input than the model takes
│   ├── TooSlow               408  the rest of the request did not come in time
│   ├── PayloadTooLarge       413
│   ├── URLTooLong            414
│   ├── UnsupportedMediaType  415
│   └── HeadersTooLarge       431
├── NotAuthenticated          401  the gateway's key, or the backend's own login
├── NotAllowed                403
├── NotFound                  404  a path
│   └── ModelNotFound         404
├── MethodNotAllowed          405
├── Misdirected               421  a host name that is not this gateway's
├── RateLimited               429  a key's limit; come back after `retry_after` seconds
│   ├── UpstreamRateLimited   429  the limit of the model's API
│   └── QuotaExhausted        429  the plan's quota; it may take hours
└── ServerFault               500  a bug of ours or of a plugin
    ├── BackendFailed         502  the backend died or spoke nonsense
    ├── Overloaded            503  the model's API has no room at the moment
    │   └── GatewayBusy       503  the gateway itself has no room at the moment
    ├── BackendUnavailable    503  the backend can't be started at all
    └── TimedOut              504
"""

import logging
from typing import ClassVar, Final

from gateway.secrets.scrubbing import scrub

__all__ = [
    "BackendFailed",
    "BackendUnavailable",
    "ConfigurationError",
    "ContextTooLong",
    "GatewayBusy",
    "GatewayError",
    "HeadersTooLarge",
    "InvalidRequest",
    "MethodNotAllowed",
    "Misdirected",
    "ModelNotFound",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "Overloaded",
    "PayloadTooLarge",
    "QuotaExhausted",
    "RateLimited",
    "ServerFault",
    "TimedOut",
    "TooSlow",
    "URLTooLong",
    "UnsupportedMediaType",
    "UnsupportedParameter",
    "UpstreamRateLimited",
    "as_server_fault",
]

_MAX_MESSAGE: Final = 4000
"""Characters: messages quote requests, which may be long."""

log = logging.getLogger("gateway")


class GatewayError(Exception):
    """An error with everything a client needs to act on it.

    `param` is a path into the request (`messages[2].content`); `retry_after` is in seconds;
    `should_retry` False tells clients not to try again on their own. Keys and tokens are taken
    out of the message.
    """

    status: ClassVar[int] = 500
    code: str | None = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        should_retry: bool | None = None,
    ) -> None:
        message = scrub(_short(message))
        super().__init__(message)
        self.message = message
        self.param = _short(param) if param is not None else None
        if code is not None:
            self.code = code
        self.retry_after = retry_after
        self.should_retry = should_retry


class InvalidRequest(GatewayError):
    """The request can't be understood or honoured as it is."""

    status = 400


class UnsupportedParameter(InvalidRequest):
    """A field, or a value of it, that nothing here can honour."""

    code = "unsupported_parameter"


class ContextTooLong(InvalidRequest):
    """The conversation is longer than the model takes."""

    code = "context_length_exceeded"


class PayloadTooLarge(InvalidRequest):
    """The body is over the gateway's limit."""

    status = 413
    code = "request_too_large"


class UnsupportedMediaType(InvalidRequest):
    """The body is not JSON."""

    status = 415
    code = "unsupported_media_type"


class TooSlow(InvalidRequest):
    """The request was not complete within the gateway's limit."""

    status = 408
    code = "request_timeout"


class URLTooLong(InvalidRequest):
    """The URL is over the gateway's limit."""

    status = 414
    code = "url_too_long"


class HeadersTooLarge(InvalidRequest):
    """The headers are over one of the gateway's limits."""

    status = 431
    code = "headers_too_large"


class NotAuthenticated(GatewayError):
    """The client is unknown, or the backend's own login is missing or was rejected."""

    status = 401
    code = "authentication_error"


class NotAllowed(GatewayError):
    """The client is known, but may not do this."""

    status = 403
    code = "permission_denied"


class NotFound(GatewayError):
    """No such path."""

    status = 404
    code = "unknown_url"


class ModelNotFound(NotFound):
    """No model of that name in the map, or the backend does not know it."""

    code = "model_not_found"


class MethodNotAllowed(GatewayError):
    """The path exists, but does not take this method."""

    status = 405
    code = "method_not_allowed"


class Misdirected(GatewayError):
    """The host name is not one of this gateway's."""

    status = 421
    code = "host_not_allowed"


class RateLimited(GatewayError):
    """Too much for now; `retry_after` says how long to wait, if known."""

    status = 429
    code = "rate_limit_exceeded"


class UpstreamRateLimited(RateLimited):
    """The model's API takes no more for now: no limit of this gateway or of one of its keys."""

    code = "upstream_rate_limited"


class QuotaExhausted(RateLimited):
    """The plan's quota is used up until its window resets."""

    code = "insufficient_quota"


class ServerFault(GatewayError):
    """A fault on this side of the wire."""

    status = 500
    code = "internal_error"


class BackendFailed(ServerFault):
    """The backend died, or said something that makes no sense."""

    status = 502
    code = "backend_error"


class Overloaded(ServerFault):
    """The backend has no room at the moment; trying again makes sense."""

    status = 503
    code = "overloaded"


class GatewayBusy(Overloaded):
    """The gateway's own processes, queue or connections are all in use; this is not about a quota.

    503 and not 429: a balancer then asks another gateway, and clients try again after
    `retry-after`, as they do for a 429.
    """

    code = "gateway_busy"


class BackendUnavailable(ServerFault):
    """The backend can't be started."""

    status = 503
    code = "backend_unavailable"


class TimedOut(ServerFault):
    """Nothing came within the limit."""

    status = 504
    code = "timeout"


class ConfigurationError(Exception):
    """The configuration or a plugin is wrong; the gateway does not start. Never sent to a client."""


def _short(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}…"


def as_server_fault(error: Exception) -> GatewayError:
    """The error for a client about an unexpected exception; the log gets all of it."""
    if isinstance(error, GatewayError):
        return error
    log.error("an unexpected failure", exc_info=error)
    return ServerFault("internal error; see the gateway's log")
