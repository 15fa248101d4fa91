"""Errors in the middle of a stream: the event `error`, and the object in `response.failed`.

Codex reads the code in `response.failed` (codex-rs/codex-api/src/sse/responses.rs):
`context_length_exceeded`, `insufficient_quota` and `invalid_prompt` end the turn, and for
`rate_limit_exceeded` it looks for "try again in 11.5s" in the message. It takes all others for a
stream that broke, and asks again.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.errors import ContextTooLong, GatewayError, InvalidRequest, QuotaExhausted, RateLimited
from gateway_openai_responses.names import error_body

_SERVER_ERROR: Final = "server_error"


def failed_error(error: GatewayError) -> Mapping[str, Any]:
    """`openai.types.responses.ResponseError`, with two codes more."""
    return {"code": _code(error), "message": _message(error)}


def error_fields(error: GatewayError) -> Mapping[str, Any]:
    """The fields of the event `error` (`ResponseErrorEvent`).

    OpenAI's own servers, and clients such as openai-python 3.54 (`_streaming.py`), have the object
    `error` around them, so it is there as well.
    """
    body = error_body(error)["error"]
    return {
        "code": body["code"],
        "message": body["message"],
        "param": body["param"],
        "error": body,
    }


def _code(error: GatewayError) -> str:
    match error:
        case ContextTooLong():
            return error.code or _SERVER_ERROR
        case QuotaExhausted():  # whatever else its code is: Codex ends the turn for this one only
            return "insufficient_quota"
        case RateLimited():
            return "rate_limit_exceeded"
        case InvalidRequest():
            return "invalid_prompt"
        case _:
            return _SERVER_ERROR


def _message(error: GatewayError) -> str:
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return f"{error.message} Please try again in {error.retry_after:.3g}s."
    return error.message
