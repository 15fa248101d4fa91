"""Scenarios: what becomes of a failure of the model's API."""

from collections.abc import Mapping
from typing import Final

from gateway.errors import (
    BackendUnavailable,
    GatewayError,
    InvalidRequest,
    NotAuthenticated,
    Overloaded,
    RateLimited,
    TimedOut,
)
from gateway_claude_code.doctor.rig import Rig, asking, message
from gateway_claude_code.errors import ProcessGone
from gateway_claude_code.upstream import Failure

FAILURES: Final[Mapping[str, tuple[Failure, type[GatewayError]]]] = {
    "error_400": (Failure(400, "invalid_request_error", "messages.0: wrong"), InvalidRequest),
    "error_401": (Failure(401, "authentication_error", "invalid x-api-key"), NotAuthenticated),
    "error_429": (Failure(429, "rate_limit_error", "slow down"), RateLimited),
    "error_529": (Failure(529, "overloaded_error", "Overloaded"), Overloaded),
}


async def failure(rig: Rig, name: str) -> None:
    """The upstream fails, and the client has to be told in the right way."""
    reply, wanted = FAILURES[name]
    try:
        await rig.answer(asking(message("user", "Hello")), script=lambda _: reply)
    except (BackendUnavailable, ProcessGone, TimedOut):
        raise
    except GatewayError as error:
        code = f" ({error.code})" if error.code else ""
        seen = f"{reply.status} of the upstream became {error.status}{code}"
        rig.note(name, type(error) is wanted, seen)
    else:
        rig.differs(name, f"{reply.status} of the upstream became an answer")
