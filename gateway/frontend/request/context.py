"""The client of a request, the limits of its key, and the contexts of its answers."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from starlette.requests import Request

from gateway.context import AnswerGroup, RequestContext
from gateway.frontend.call import Call
from gateway.types import Client

MayUse: TypeAlias = Callable[[str, Sequence[str]], bool]
"""Whether a client may ask for a model, by its name and those of the entries that it can lead to."""


def client_of(request: Request) -> Client:
    """The client of a request. Middleware that checks keys leaves the key's name in its state."""
    return Client(
        key=getattr(request.state, "client_key", None),
        user_agent=request.headers.get("user-agent"),
        address=request.client.host if request.client else None,
    )


def may_use(request: Request) -> MayUse | None:
    """Which models the request's key may use, where middleware limits them."""
    return getattr(request.state, "may_use_model", None)


def admit(request: Request, answers: int) -> None:
    """Let the middleware that checks keys count the answers; it has counted the request as one.

    Raises `RateLimited`.
    """
    if answers > 1 and (admit_answers := getattr(request.state, "admit_answers", None)) is not None:
        admit_answers(answers)


def contexts_of(request: Request, call: Call, body_bytes: int) -> tuple[RequestContext, ...]:
    """A context for each choice; those after the first have their number after the id."""
    request_id, group = request.state.request_id, AnswerGroup()
    contexts = tuple(
        RequestContext(
            request_id=f"{request_id}-{index}" if index else request_id,
            started=request.state.started,
            ignored=list(call.ignored),
            group=group,
            body_bytes=body_bytes,
        )
        for index in range(call.choices)
    )
    for context in contexts:
        context.adjust(call.adjusted)
    return contexts
