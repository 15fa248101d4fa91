"""Which models take a temperature and the like.

Newer models refuse these parameters, and some take only one of two; only the model's API knows.
With `sampling: auto` a refusal is remembered for as long as the gateway runs.
"""

from dataclasses import replace
from typing import Final

from gateway.context import RequestContext
from gateway.errors import GatewayError, InvalidRequest
from gateway.types import ChatRequest, Target

PARAMETERS: Final = ("temperature", "top_p", "top_k")


class SamplingSupport:
    """What has been learnt about each model, by its name at the backend."""

    def __init__(self) -> None:
        self._refused: dict[str, set[str]] = {}

    def supported(self, request: ChatRequest, target: Target, ctx: RequestContext) -> ChatRequest:
        """The request without what its model does not take; `ctx` notes what that is."""
        if target.sampling is True:
            return request
        if target.sampling is False:
            return _without(request, set(PARAMETERS), ctx)
        return _without(request, self._refused.get(target.name, set()), ctx)

    def learn(self, request: ChatRequest, target: Target, error: GatewayError) -> bool:
        """Whether trying again without some parameters makes sense after this error."""
        if target.sampling != "auto" or not isinstance(error, InvalidRequest):
            return False
        given = [name for name in PARAMETERS if getattr(request.sampling, name) is not None]
        named = [name for name in given if name in error.message]
        if not named:
            return False
        # of two that exclude each other, the first has its way
        refused = named[1:] if len(named) > 1 else named
        self._refused.setdefault(target.name, set()).update(refused)
        return True


def _without(request: ChatRequest, names: set[str], ctx: RequestContext) -> ChatRequest:
    sampling = request.sampling
    given = [name for name in PARAMETERS if name in names and getattr(sampling, name) is not None]
    ctx.ignore(given)
    return replace(
        request,
        sampling=replace(
            sampling,
            temperature=None if "temperature" in given else sampling.temperature,
            top_p=None if "top_p" in given else sampling.top_p,
            top_k=None if "top_k" in given else sampling.top_k,
        ),
    )
