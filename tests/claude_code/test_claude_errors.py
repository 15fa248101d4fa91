"""What the CLI says of a failure, in both versions, and the error that it becomes."""

from typing import Any

import pytest

from gateway import errors
from gateway.errors import GatewayError
from gateway_claude_code.errors import FailureReader, exited
from gateway_claude_code.protocol import Line

NOW = 1_000_000.0


def synthetic(error: str | None) -> Line:
    return {"type": "assistant", "error": error, "message": {"model": "<synthetic>"}}


def retry(status: int | None, **fields: Any) -> Line:
    return {"type": "system", "subtype": "api_retry", "error_status": status, **fields}


def rejected(**info: Any) -> Line:
    return {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", **info}}


def result(text: str | None, status: int | None, reason: str = "api_error") -> Line:
    return {
        "type": "result",
        "subtype": "success",
        "is_error": True,
        "api_error_status": status,
        "terminal_reason": reason,
        "result": text,
    }


def error_of(*lines: Line) -> GatewayError:
    """The error of the last line; those before it decide nothing."""
    reader = FailureReader(now=lambda: NOW)
    *before, last = lines
    assert [reader.read(line) for line in before] == [None] * len(before)
    error = reader.read(last)
    assert error is not None
    return error


CONNECTION_LOST = "API Error: Connection to the API was lost (ECONNRESET)."
NOT_LOGGED_IN = "Not logged in · Please run /login"
NO_MODEL = "There's an issue with the selected model (claude-x)."
IMAGE = "API Error: an image in the conversation could not be processed and was removed."

RESULTS = [
    # (the assistant line's error, the result's status and text) and what it becomes
    ("unknown", 400, "API Error: 400 no good", errors.InvalidRequest),
    ("invalid_request", 400, "Prompt is too long", errors.ContextTooLong),
    ("unknown", 400, "API Error: 400 max_tokens: 999999 > 64000", errors.InvalidRequest),
    ("invalid_request", 400, IMAGE, errors.InvalidRequest),
    ("invalid_request", 400, "Image was too large.", errors.InvalidRequest),
    ("invalid_request", 400, "The PDF file was not valid.", errors.InvalidRequest),
    ("invalid_request", 413, "Request too large (max 32MB).", errors.PayloadTooLarge),
    ("billing_error", 400, "Credit balance is too low", errors.QuotaExhausted),
    ("authentication_failed", 401, "Invalid API key", errors.NotAuthenticated),
    ("authentication_failed", 401, NOT_LOGGED_IN, errors.NotAuthenticated),
    ("authentication_failed", None, NOT_LOGGED_IN, errors.NotAuthenticated),
    ("authentication_failed", 403, "Failed to authenticate.", errors.NotAllowed),
    ("model_not_found", 404, NO_MODEL, errors.ModelNotFound),
    ("model_not_found", None, NO_MODEL, errors.ModelNotFound),
    ("rate_limit", 429, "API Error: Request rejected (429) · slow", errors.RateLimited),
    ("rate_limit", None, "API Error: Request rejected", errors.RateLimited),
    ("server_error", 500, "API Error: 500 oops", errors.BackendFailed),
    ("server_error", 408, "API Error: 408 slow", errors.TimedOut),
    ("server_error", 504, "API Error: 504 slow", errors.TimedOut),
    ("server_error", 529, "API Error: 529 Overloaded.", errors.Overloaded),
    ("server_error", None, "API Error: Repeated 529 Overloaded errors.", errors.Overloaded),
    ("unknown", 529, "API Error: Overloaded", errors.Overloaded),
    ("unknown", None, "API Error: Overloaded", errors.Overloaded),
    ("server_error", None, "API Error: Connection refused", errors.BackendFailed),
    ("server_error", None, "API Error: Unable to connect to API", errors.BackendFailed),
    ("server_error", None, CONNECTION_LOST, errors.BackendFailed),
    ("unknown", None, "API Error: API returned an empty response", errors.BackendFailed),
    (None, None, None, errors.BackendFailed),
]


@pytest.mark.parametrize("reason", ["api_error", "completed"])
@pytest.mark.parametrize(("name", "status", "text", "kind"), RESULTS)
def test_results(
    reason: str, name: str | None, status: int | None, text: str | None, kind: type[GatewayError]
) -> None:
    assert type(error_of(synthetic(name), result(text, status, reason))) is kind


def test_a_prompt_that_is_too_long_is_known_by_the_reason() -> None:
    error = error_of(synthetic("invalid_request"), result("Too much", 400, "prompt_too_long"))
    assert isinstance(error, errors.ContextTooLong)
    assert error.param == "messages"
    assert error.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("API Error: 400 no good", "no good"),
        ("API Error: no good", "no good"),
        ("no good", "no good"),
        ("API Error: 400 ", "no reason was given"),
        ("", "no reason was given"),
        (None, "no reason was given"),
    ],
)
def test_the_clis_own_words_around_a_message_are_dropped(text: str | None, message: str) -> None:
    assert error_of(result(text, 400)).message == message


def test_a_result_without_text_may_have_a_list_of_errors() -> None:
    line = {**result(None, 400), "errors": ["one", "two"]}
    assert error_of(line).message == "one; two"


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("temperature: Extra inputs are not permitted", "temperature"),
        ("messages.1.content: may not be empty", "messages"),
        ("tools.0.custom.input_schema.type: Field required", "tools"),
        ("No good", None),
    ],
)
def test_an_invalid_request_names_its_parameter(text: str, param: str | None) -> None:
    assert error_of(result(f"API Error: 400 {text}", 400)).param == param


def test_an_unknown_model_names_its_parameter() -> None:
    assert error_of(synthetic("model_not_found"), result(NO_MODEL, 404)).param == "model"


@pytest.mark.parametrize("status", [401, None])
def test_a_missing_login_says_what_to_do_and_is_not_retried(status: int | None) -> None:
    error = error_of(synthetic("authentication_failed"), result(NOT_LOGGED_IN, status))
    assert "/login" in error.message
    assert "use_cli_settings_auth" in error.message
    assert error.should_retry is False


def test_an_empty_account_is_not_retried() -> None:
    error = error_of(synthetic("billing_error"), result("Credit balance is too low", 400))
    assert (error.status, error.should_retry) == (429, False)


# -- the plan's quota ---------------------------------------------------------------------

LIMIT = "You've hit your 5-hour limit · resets 2:08am (UTC)"


@pytest.mark.parametrize(
    ("seconds", "retry_after", "should_retry"),
    [(7200, 7200, False), (61, 61, False), (60, 60, None), (5, 5, None), (-5, 1, None)],
)
def test_a_quota_says_when_it_resets(
    seconds: int, retry_after: int, should_retry: bool | None
) -> None:
    lines = rejected(resetsAt=NOW + seconds), synthetic("rate_limit"), result(LIMIT, 429)
    error = error_of(*lines)
    assert type(error) is errors.QuotaExhausted
    assert (error.retry_after, error.should_retry) == (retry_after, should_retry)


def test_a_rejection_without_a_reset_is_a_rate_limit() -> None:
    text = "API Error: Server is temporarily limiting requests (not your usage limit) · slow"
    error = error_of(rejected(), synthetic("rate_limit"), result(text, 429))
    assert type(error) is errors.RateLimited


@pytest.mark.parametrize("status", ["allowed", "allowed_warning"])
def test_a_rate_limit_event_that_allows_is_no_quota(status: str) -> None:
    info = {"status": status, "resetsAt": NOW + 7200}
    allowed = {"type": "rate_limit_event", "rate_limit_info": info}
    error = error_of(allowed, synthetic("rate_limit"), result("slow", 429))
    assert type(error) is errors.RateLimited


# -- the CLI tries again ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (401, errors.NotAuthenticated),
        (403, errors.NotAllowed),
        (404, errors.ModelNotFound),
        (413, errors.PayloadTooLarge),
        (429, errors.RateLimited),
    ],
)
def test_a_retry_that_is_of_no_use_ends_the_turn(status: int, kind: type[GatewayError]) -> None:
    assert type(error_of(retry(status))) is kind


@pytest.mark.parametrize("status", [500, 502, 529, None])
def test_a_retry_that_may_help_decides_nothing(status: int | None) -> None:
    assert FailureReader().read(retry(status)) is None


@pytest.mark.parametrize(("delay", "seconds"), [(2500, 2.5), (613.5, 0.6135), (None, None)])
def test_a_rate_limits_delay_is_passed_on(delay: float | None, seconds: float | None) -> None:
    assert error_of(retry(429, retry_delay_ms=delay)).retry_after == seconds


def test_the_status_of_a_retry_counts_when_the_result_has_none() -> None:
    error = error_of(retry(529), synthetic("server_error"), result("API Error: gave up", None))
    assert type(error) is errors.Overloaded


# -- lines that are no failure ------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"type": "system", "subtype": "init"},
        {"type": "result", "is_error": False, "result": "API Error: 400 quoted by the model"},
        {"type": "assistant", "message": {"model": "claude-test"}, "error": "unknown"},
        {"type": "assistant"},
        synthetic("server_error"),
    ],
)
def test_other_lines_decide_nothing(line: Line) -> None:
    assert FailureReader().read(line) is None


# -- the end of the process ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "started", "message"),
    [
        (0, False, "The Claude Code CLI exited with code 0 before it answered."),
        (1, True, "The Claude Code CLI exited with code 1 in the middle of its answer."),
        (-9, True, "The Claude Code CLI was killed by signal 9 in the middle of its answer."),
    ],
)
def test_an_exit(code: int, started: bool, message: str) -> None:
    assert exited(code, started=started).message == message
