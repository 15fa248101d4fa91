"""Which models take a temperature and the like, and how that is learnt."""

from dataclasses import replace
from typing import Any

import pytest
from claude_code_support import TARGET, a_request

from gateway.context import RequestContext
from gateway.errors import BackendFailed, ContextTooLong, GatewayError, InvalidRequest, RateLimited
from gateway.types import ChatRequest, Sampling, Target
from gateway_claude_code.sampling import SamplingSupport

ALL = Sampling(temperature=0.5, top_p=0.9, top_k=3, stop=("END",), max_output_tokens=9)
NOT_TAKEN = InvalidRequest("`temperature` is deprecated for this model.")
EXCLUSIVE = InvalidRequest("`temperature` and `top_p` cannot both be specified for this model.")


def asked_of(
    support: SamplingSupport, sampling: Sampling, target: Target = TARGET
) -> tuple[Sampling, list[str]]:
    """The sampling that is left, and what is reported as ignored."""
    ctx = RequestContext(request_id="r-1")
    request = support.supported(a_request(sampling=sampling), target, ctx)
    return request.sampling, ctx.ignored


def of(setting: Any) -> Target:
    return replace(TARGET, sampling=setting)


NONE_LEFT = replace(ALL, temperature=None, top_p=None, top_k=None)


@pytest.mark.parametrize(
    ("setting", "given", "left", "ignored"),
    [
        (True, ALL, ALL, []),
        ("auto", ALL, ALL, []),
        (False, ALL, NONE_LEFT, ["temperature", "top_p", "top_k"]),
        (False, Sampling(temperature=0), Sampling(), ["temperature"]),
        (False, Sampling(top_p=0.0), Sampling(), ["top_p"]),
        (False, Sampling(top_k=0), Sampling(), ["top_k"]),
        (False, Sampling(stop=("END",)), Sampling(stop=("END",)), []),
    ],
)
def test_what_the_models_entry_says(
    setting: Any, given: Sampling, left: Sampling, ignored: list[str]
) -> None:
    assert asked_of(SamplingSupport(), given, of(setting)) == (left, ignored)


@pytest.mark.parametrize(
    ("error", "given", "refused"),
    [
        (NOT_TAKEN, ALL, ["temperature"]),
        (NOT_TAKEN, Sampling(temperature=0), ["temperature"]),
        (InvalidRequest("top_k: not permitted"), ALL, ["top_k"]),
        (EXCLUSIVE, ALL, ["top_p"]),
        (EXCLUSIVE, Sampling(top_p=0.9), ["top_p"]),
        (InvalidRequest("temperature, top_p and top_k"), ALL, ["top_p", "top_k"]),
    ],
)
def test_a_refusal_is_learnt(error: GatewayError, given: Sampling, refused: list[str]) -> None:
    support = SamplingSupport()
    assert support.learn(a_request(sampling=given), TARGET, error)
    assert asked_of(support, ALL) == (replace(ALL, **dict.fromkeys(refused)), refused)


@pytest.mark.parametrize(
    ("error", "given", "setting"),
    [
        (NOT_TAKEN, ALL, True),
        (NOT_TAKEN, ALL, False),
        (NOT_TAKEN, Sampling(), "auto"),
        (NOT_TAKEN, Sampling(top_p=0.9), "auto"),
        (InvalidRequest("messages: must not be empty"), ALL, "auto"),
        (ContextTooLong("too long"), ALL, "auto"),
        (BackendFailed("temperature"), ALL, "auto"),
        (RateLimited("temperature"), ALL, "auto"),
    ],
)
def test_from_another_error_nothing_is_learnt(
    error: GatewayError, given: Sampling, setting: Any
) -> None:
    support = SamplingSupport()
    assert not support.learn(a_request(sampling=given), of(setting), error)
    assert asked_of(support, ALL) == (ALL, [])


def test_what_is_learnt_adds_up_until_nothing_is_left() -> None:
    support = SamplingSupport()
    request: ChatRequest = a_request(sampling=ALL)
    rounds = 0
    while support.learn(request, TARGET, InvalidRequest("temperature, top_p, top_k: no")):
        request = support.supported(request, TARGET, RequestContext(request_id="r-1"))
        rounds += 1
    assert (rounds, request.sampling) == (2, NONE_LEFT)


def test_what_is_learnt_of_one_model_says_nothing_of_another() -> None:
    support = SamplingSupport()
    support.learn(a_request(sampling=ALL), TARGET, NOT_TAKEN)
    assert asked_of(support, ALL, replace(TARGET, name="another")) == (ALL, [])


def test_an_entry_of_true_holds_against_what_was_learnt_through_another() -> None:
    support = SamplingSupport()
    support.learn(a_request(sampling=ALL), TARGET, NOT_TAKEN)
    assert asked_of(support, ALL, of(True)) == (ALL, [])
