"""The error envelope."""

import pytest

from gateway import errors
from gateway.frontend import envelope


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (errors.InvalidRequest("no"), "invalid_request_error", None),
        (errors.UnsupportedParameter("no"), "invalid_request_error", "unsupported_parameter"),
        (errors.ContextTooLong("no"), "invalid_request_error", "context_length_exceeded"),
        (errors.PayloadTooLarge("no"), "invalid_request_error", "request_too_large"),
        (errors.UnsupportedMediaType("no"), "invalid_request_error", "unsupported_media_type"),
        (errors.NotAuthenticated("no"), "authentication_error", "authentication_error"),
        (
            errors.NotAuthenticated("no", code="invalid_api_key"),
            "invalid_request_error",
            "invalid_api_key",
        ),
        (errors.NotAllowed("no"), "permission_denied", "permission_denied"),
        (errors.NotFound("no"), "invalid_request_error", "unknown_url"),
        (errors.ModelNotFound("no"), "invalid_request_error", "model_not_found"),
        (errors.MethodNotAllowed("no"), "invalid_request_error", "method_not_allowed"),
        (errors.RateLimited("no"), "rate_limit_exceeded", "rate_limit_exceeded"),
        (errors.UpstreamRateLimited("no"), "rate_limit_exceeded", "upstream_rate_limited"),
        (errors.QuotaExhausted("no"), "insufficient_quota", "insufficient_quota"),
        (errors.ServerFault("no"), "server_error", "internal_error"),
        (errors.BackendFailed("no"), "server_error", "backend_error"),
        (errors.Overloaded("no"), "server_error", "overloaded"),
        (errors.GatewayBusy("no"), "server_error", "gateway_busy"),
        (errors.BackendUnavailable("no"), "server_error", "backend_unavailable"),
        (errors.TimedOut("no"), "server_error", "timeout"),
    ],
)
def test_every_error_has_type_and_code(
    error: errors.GatewayError, kind: str, code: str | None
) -> None:
    assert envelope(error) == {
        "error": {"message": "no", "type": kind, "param": None, "code": code}
    }


def test_the_param_is_passed_on() -> None:
    assert envelope(errors.InvalidRequest("no", param="n"))["error"]["param"] == "n"
