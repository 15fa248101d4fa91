"""The typed view of `request.state`."""

from typing import Any

from starlette.requests import Request

from gateway.request_state import RequestState


def test_what_middleware_sets_is_there_for_the_route() -> None:
    scope: dict[str, Any] = {"type": "http"}
    RequestState.of(scope).client_key = "laptop"
    assert RequestState.of(Request(scope)).client_key == "laptop"


def test_it_is_what_starlette_has_under_the_same_name() -> None:
    request = Request({"type": "http"})
    RequestState.of(request).request_id = "req_1"
    assert request.state.request_id == "req_1"
    request.state.client_key = "laptop"
    assert RequestState.of(request).client_key == "laptop"


def test_without_middleware_nothing_is_set() -> None:
    state = RequestState.of({"type": "http"})
    assert (state.client_key, state.may_use_model, state.admit_answers) == (None, None, None)


def test_requests_do_not_share_it() -> None:
    RequestState.of({"type": "http"}).client_key = "laptop"
    assert RequestState.of({"type": "http"}).client_key is None
