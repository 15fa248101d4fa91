"""What the CLI says of a failure, in both versions, and the error that it becomes."""

from typing import Any

import pytest

from gateway import errors
from gateway.errors import GatewayError
from gateway.machine import command_name
from gateway.types import ChatRequest, Tool
from gateway_claude_code.account.refusals import AccountRefusal
from gateway_claude_code.login import words as login_words
from gateway_claude_code.protocol import Line
from gateway_claude_code.response.failures import (
    COME_BACK_SECONDS,
    ApiRefusal,
    FailureReader,
    LoginRefused,
    exited,
    told,
)

NOW = 1_000_000.0


def synthetic(error: str | None) -> Line:
    return {"type": "assistant", "error": error, "message": {"model": "<synthetic>"}}


def retry(status: int | None, **fields: Any) -> Line:
    line = {"type": "system", "subtype": "api_retry", "error_status": status, "attempt": 1}
    return {**line, "max_retries": 2, **fields}


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


def error_of(*lines: Line, sentence: str | None = None) -> GatewayError:
    """The error of the last line; those before it decide nothing."""
    reader = FailureReader(now=lambda: NOW)
    *before, last = lines
    assert [reader.read(line) for line in before] == [None] * len(before)
    error = reader.read(last, sentence)
    assert error is not None
    return error


CONNECTION_LOST = "API Error: Connection to the API was lost (ECONNRESET)."
NOT_LOGGED_IN = "Not logged in · Please run /login"
NO_MODEL = "There's an issue with the selected model (claude-x)."
IMAGE = "API Error: an image in the conversation could not be processed and was removed."

RESULTS = [
    # (the assistant line's error, the result's status and text) and what it becomes
    ("unknown", 400, "API Error: 400 no good", ApiRefusal),
    ("invalid_request", 400, "Prompt is too long", errors.ContextTooLong),
    ("unknown", 400, "API Error: 400 max_tokens: 999999 > 64000", ApiRefusal),
    ("invalid_request", 400, IMAGE, ApiRefusal),
    ("invalid_request", 400, "Image was too large.", ApiRefusal),
    ("invalid_request", 400, "The PDF file was not valid.", ApiRefusal),
    ("invalid_request", 413, "Request too large (max 32MB).", errors.PayloadTooLarge),
    ("billing_error", 400, "Credit balance is too low", AccountRefusal),
    ("authentication_failed", 401, "Invalid API key", LoginRefused),
    ("authentication_failed", 401, NOT_LOGGED_IN, errors.NotAuthenticated),
    ("authentication_failed", None, NOT_LOGGED_IN, errors.NotAuthenticated),
    ("authentication_failed", 403, "Failed to authenticate.", errors.NotAllowed),
    ("model_not_found", 404, NO_MODEL, errors.ModelNotFound),
    ("model_not_found", None, NO_MODEL, errors.ModelNotFound),
    ("rate_limit", 429, "API Error: Request rejected (429) · slow", errors.UpstreamRateLimited),
    ("rate_limit", None, "API Error: Request rejected", errors.UpstreamRateLimited),
    ("server_error", 500, "API Error: 500 oops", errors.BackendFailed),
    ("server_error", 408, "API Error: 408 slow", errors.TimedOut),
    ("server_error", 504, "API Error: 504 slow", errors.TimedOut),
    ("server_error", 529, "API Error: 529 Overloaded.", errors.Overloaded),
    ("server_error", None, "API Error: Repeated 529 Overloaded errors.", errors.Overloaded),
    ("unknown", 529, "API Error: Overloaded", errors.Overloaded),
    ("server_error", 503, "API Error: 503 Service unavailable.", errors.Overloaded),
    ("billing_error", 402, "Credit balance is too low", AccountRefusal),
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


@pytest.mark.parametrize("status", [400, None])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prompt is too long: 210000 tokens > 200000 maximum", "prompt is too long"),
        (
            "API Error: 400 input length and `max_tokens` exceed context limit: 190000 + 64000 > "
            "200000, decrease input length or `max_tokens` and try again",
            "(input length and max_tokens exceed context limit: 190000 + 64000 > 200000)",
        ),
        ("input length and `max_tokens` exceed context limit", "exceed context limit)"),
    ],
)
def test_a_prompt_that_is_too_long_is_known_by_the_sentence(
    text: str, said: str, status: int | None
) -> None:
    error = error_of(result(text, status))
    assert isinstance(error, errors.ContextTooLong)
    assert (error.code, error.param) == ("context_length_exceeded", "messages")
    assert said in error.message


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


def test_what_the_api_calls_invalid_keeps_its_words_until_the_client_is_told() -> None:
    init = {"type": "system", "subtype": "init", "tools": ["mcp__t__add", "mcp__t__last"]}
    text = "tools.1.custom.input_schema: Field required"
    error = error_of(init, result(f"API Error: 400 {text}", 400))
    assert isinstance(error, ApiRefusal)
    assert (error.message, error.offered) == (text, ("mcp__t__add", "mcp__t__last"))
    request = ChatRequest(model="x", messages=(), tools=(Tool(name="last"), Tool(name="add")))
    for_client = told(error, request)
    assert for_client.param == "tools[0].function.parameters"
    assert for_client.message == "tools[0].function.parameters (of 'last'): Field required"


def test_other_errors_are_told_as_they_are() -> None:
    error = errors.Overloaded("no room")
    assert told(error, ChatRequest(model="x", messages=())) is error


def test_an_unknown_model_names_its_parameter() -> None:
    assert error_of(synthetic("model_not_found"), result(NO_MODEL, 404)).param == "model"


@pytest.mark.parametrize(
    ("sentence", "status", "says"),
    [
        (NOT_LOGGED_IN, None, "The Claude Code CLI is not logged in: "),
        (
            "OAuth token revoked · Please run /login",
            401,
            "The Claude Code CLI's login was refused (OAuth token revoked): ",
        ),
    ],
)
def test_a_missing_login_names_the_one_command_and_is_not_retried(
    sentence: str, status: int | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_words, "in_container", lambda _: False)
    monkeypatch.setattr(command_name, "_program", lambda: None)
    error = error_of(synthetic("authentication_failed"), result(sentence, status))
    assert error.message == f"{says}run `dragoman login` on the machine where Dragoman runs"
    assert error.should_retry is False


def test_an_empty_account_is_not_retried() -> None:
    error = error_of(synthetic("billing_error"), result("Credit balance is too low", 400))
    assert (error.status, error.should_retry) == (429, False)


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, None])
def test_a_refusal_does_not_name_the_account(status: int | None) -> None:
    text = "Your organization Jane Doe (jane@example.com) has been disabled."
    assert "Your organization […] has been disabled." in error_of(result(text, status)).message
    retried = error_of(retry(status, attempt=2), sentence=text)
    assert "Jane" not in retried.message
    assert "jane" not in retried.message


# -- the plan's quota ---------------------------------------------------------------------

LIMIT = "You've hit your 5-hour limit · resets 2:08am (UTC)"


@pytest.mark.parametrize(
    ("seconds", "retry_after", "should_retry"),
    [(7200, None, False), (61, None, False), (60, 60, None), (5, 5, None), (-5, 1, None)],
)
def test_a_plan_that_is_used_up_says_when_it_resets(
    seconds: int, retry_after: int | None, should_retry: bool | None
) -> None:
    lines = rejected(resetsAt=NOW + seconds, rateLimitType="five_hour"), result(LIMIT, 429)
    error = error_of(*lines)
    assert isinstance(error, AccountRefusal)
    assert (error.retry_after, error.should_retry) == (retry_after, should_retry)
    assert (error.state, error.resets_at, error.limit) == (
        "plan_used_up",
        NOW + seconds,
        "five_hour",
    )


REJECTED = rejected(resetsAt=NOW + 7200, rateLimitType="five_hour")


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("rate_limit", 429, "slow"),
        ("rate_limit", None, "API Error: Request rejected"),
        ("unknown", None, LIMIT),
        ("unknown", 400, "You have reached your usage limit."),
    ],
)
def test_the_limit_that_was_announced(name: str, status: int | None, text: str) -> None:
    error = error_of(REJECTED, synthetic(name), result(text, status))
    assert isinstance(error, AccountRefusal)
    assert error.state == "plan_used_up"


@pytest.mark.parametrize(
    ("name", "status", "text", "kind"),
    [
        ("server_error", 500, "API Error: 500 oops", errors.BackendFailed),
        ("server_error", 529, "API Error: 529 Overloaded.", errors.Overloaded),
        ("unknown", 400, "max_tokens: too many", ApiRefusal),
        ("server_error", None, CONNECTION_LOST, errors.BackendFailed),
    ],
)
def test_a_turn_that_fails_of_something_else_is_no_used_up_plan(
    name: str, status: int | None, text: str, kind: type[GatewayError]
) -> None:
    assert type(error_of(REJECTED, synthetic(name), result(text, status))) is kind


def test_a_rejection_without_a_reset_is_a_rate_limit() -> None:
    text = "API Error: Server is temporarily limiting requests (not your usage limit) · slow"
    error = error_of(rejected(), synthetic("rate_limit"), result(text, 429))
    assert type(error) is errors.UpstreamRateLimited


@pytest.mark.parametrize("status", ["allowed", "allowed_warning"])
def test_a_rate_limit_event_that_allows_is_no_quota(status: str) -> None:
    info = {"status": status, "resetsAt": NOW + 7200}
    allowed = {"type": "rate_limit_event", "rate_limit_info": info}
    error = error_of(allowed, synthetic("rate_limit"), result("slow", 429))
    assert type(error) is errors.UpstreamRateLimited


# -- the CLI tries again ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ApiRefusal),
        (401, LoginRefused),
        (403, errors.NotAllowed),
        (404, errors.ModelNotFound),
        (413, errors.PayloadTooLarge),
        (429, errors.UpstreamRateLimited),
    ],
)
def test_a_retry_that_is_of_no_use_ends_the_turn(status: int, kind: type[GatewayError]) -> None:
    assert type(error_of(retry(status))) is kind


@pytest.mark.parametrize("status", [500, 502, 503, 529, None])
def test_a_retry_that_may_help_decides_nothing(status: int | None) -> None:
    assert FailureReader().read(retry(status)) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, errors.BackendFailed),
        (503, errors.Overloaded),
        (529, errors.Overloaded),
        (None, errors.BackendFailed),
    ],
)
def test_the_last_retry_is_never_made(status: int | None, kind: type[GatewayError]) -> None:
    last = retry(status, attempt=2, max_retries=2)
    assert type(error_of(retry(status), last)) is kind


@pytest.mark.parametrize(
    ("attempt", "delay", "seconds"),
    [
        (1, 18674, 19),  # the CLI adds up to a quarter
        (1, 8750, 9),
        (1, 7000, 7),
        (1, 1250, 2),
        (1, 74000, 60),
        (1, 613.5, COME_BACK_SECONDS),
        (3, 2490, COME_BACK_SECONDS),
        (3, 18674, 19),
        (1, None, COME_BACK_SECONDS),
    ],
)
def test_the_apis_pause_is_told_apart_from_the_clis(
    attempt: int, delay: float | None, seconds: float
) -> None:
    line = retry(429, retry_delay_ms=delay, attempt=attempt)
    assert error_of(line).retry_after == seconds


def test_a_rate_limit_has_the_apis_sentence_and_its_time() -> None:
    line = retry(429, retry_delay_ms=20735)
    error = error_of(line, sentence="This would exceed 50 requests per minute.")
    assert "This would exceed 50 requests per minute." in error.message
    assert (error.retry_after, error.should_retry) == (21, None)


def test_a_rate_limit_that_the_cli_does_not_wait_for_is_not_to_be_retried() -> None:
    error = error_of(
        synthetic("rate_limit"), result("API Error: Request rejected (429) · slow", 429)
    )
    assert error.message == "The model's API limits the rate of requests: slow"
    assert (error.retry_after, error.should_retry) == (60, False)


@pytest.mark.parametrize("status", [503, 529])
def test_an_overload_says_when_to_come_back(status: int) -> None:
    assert error_of(result("API Error: 529 Overloaded", status)).retry_after == COME_BACK_SECONDS


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
