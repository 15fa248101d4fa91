"""Errors in the form that several formats share: `{"error": {"message", "type", "param", "code"}}`.

All four keys are always there. Types and codes are those that clients act on.
"""

# types and codes: platform.openai.com/docs/guides/error-codes, and openai-python 3.54. A 503 is as
# good as a 429 to clients: openai-python 3.54 and the AI SDK 7 try both again by themselves, after a
# `retry-after` of up to 60 s (`_base_client.py`; `isRetryable` of `APICallError`).

from http import HTTPStatus
from typing import Any, Final, TypedDict

from gateway.errors import (
    GatewayError,
    NotAllowed,
    NotAuthenticated,
    QuotaExhausted,
    RateLimited,
)

ERROR_SCHEMA: Final[dict[str, Any]] = {
    "title": "Error",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
"""`Envelope` for `/openapi.json`."""


class ErrorBody(TypedDict):
    """`type` and `code` are what programs act on; `param` is a path into the request."""

    message: str
    type: str
    param: str | None
    code: str | None


class Envelope(TypedDict):
    """The body of every error, and the data of an error within a stream."""

    error: ErrorBody


def envelope(error: GatewayError) -> Envelope:
    """The error as it goes to the client."""
    return {
        "error": {
            "message": error.message,
            "type": _error_type(error),
            "param": error.param,
            "code": error.code,
        }
    }


def _error_type(error: GatewayError) -> str:
    match error:
        case QuotaExhausted() if error.code == QuotaExhausted.code:
            return "insufficient_quota"
        case RateLimited():
            return "rate_limit_exceeded"
        case NotAllowed():
            return "permission_denied"
        case NotAuthenticated() if error.code != "invalid_api_key":
            return "authentication_error"
        case _:
            fault = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            return "server_error" if fault else "invalid_request_error"
