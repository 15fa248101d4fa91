"""The client of a request, the limits of its key, and the contexts of its answers."""

from typing import Final

from starlette.requests import Request

from gateway.context import AnswerGroup, RequestContext
from gateway.frontend.call import Call
from gateway.request_state import MayUseModel, RequestState
from gateway.types import Client

PROXY_HEADERS: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Any of them is a proxy's: RFC 7239, RFC 9110 ("Via"), and nginx's and HAProxy's manuals."""


def client_of(request: Request) -> Client:
    """The client of a request. Middleware that checks keys leaves the key's name in its state."""
    return Client(
        key=RequestState.of(request).client_key,
        user_agent=request.headers.get("user-agent"),
        address=request.client.host if request.client else None,
        proxied=any(name in request.headers for name in PROXY_HEADERS),
    )


def may_use(request: Request) -> MayUseModel | None:
    """Which models the request's key may use, where middleware limits them."""
    return RequestState.of(request).may_use_model


def admit(request: Request, answers: int) -> None:
    """Let the middleware that checks keys count the answers; it has counted the request as one.

    Raises `RateLimited`.
    """
    if answers > 1 and (admit_answers := RequestState.of(request).admit_answers) is not None:
        admit_answers(answers)


def contexts_of(request: Request, call: Call, body_bytes: int) -> tuple[RequestContext, ...]:
    """A context for each choice; those after the first have their number after the id."""
    state, group = RequestState.of(request), AnswerGroup()
    contexts = tuple(
        RequestContext(
            request_id=f"{state.request_id}-{index}" if index else state.request_id,
            started=state.started,
            ignored=list(call.ignored),
            names=call.names,
            group=group,
            body_bytes=body_bytes,
        )
        for index in range(call.choices)
    )
    for context in contexts:
        context.adjust(call.adjusted)
    return contexts
