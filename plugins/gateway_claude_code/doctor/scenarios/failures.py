"""Scenarios: failures of the model's API on their way to the client."""

from collections.abc import Mapping
from typing import Final

from gateway.errors import (
    BackendUnavailable,
    GatewayError,
    InvalidRequest,
    Overloaded,
    TimedOut,
    UpstreamRateLimited,
)
from gateway_claude_code.doctor.scenarios.rig import Rig, asking, message
from gateway_claude_code.response.failures import MOST_ADDED, LoginRefused, ProcessGone
from gateway_claude_code.upstream import Failure

FAILURES: Final[Mapping[str, tuple[Failure, type[GatewayError]]]] = {
    "error_400": (Failure(400, "invalid_request_error", "messages.0: wrong"), InvalidRequest),
    "error_401": (Failure(401, "authentication_error", "invalid x-api-key"), LoginRefused),
    "error_429": (
        Failure(429, "rate_limit_error", "slow down", {"retry-after": "7"}),
        UpstreamRateLimited,
    ),
    "error_529": (Failure(529, "overloaded_error", "Overloaded"), Overloaded),
}


def lost_of(reply: Failure, error: GatewayError) -> str:
    """The lost parts of a rate limit's message and time, in words."""
    if "retry-after" not in reply.headers:
        return ""
    sentence = "" if reply.message in error.message else ", without the API's sentence"
    # the CLI adds up to a quarter to it, so the least possible value is expected
    least = float(reply.headers["retry-after"]) / MOST_ADDED
    in_time = (error.retry_after or 0) >= least
    return sentence + ("" if in_time else ", without the API's retry-after")


async def failure(rig: Rig, name: str) -> None:
    """The upstream fails, and the client has to get the right error."""
    reply, wanted = FAILURES[name]
    try:
        await rig.answer(asking(message("user", "Hello")), script=lambda _: reply)
    except (BackendUnavailable, ProcessGone, TimedOut):
        raise
    except GatewayError as error:
        code = f" ({error.code})" if error.code else ""
        seen = f"{reply.status} of the upstream became {error.status}{code}"
        lost = lost_of(reply, error)
        rig.note(name, type(error) is wanted and not lost, f"{seen}{lost}")
    else:
        rig.differs(name, f"{reply.status} of the upstream became an answer")
