"""From the CLI's lines about a failure to a `GatewayError`. Pure, except for the name of the command.

A failure shows in three kinds of lines (seen with 2.1.197 and 2.1.330): an `assistant` line of
the model "<synthetic>" with the `error`'s name, then a `result` with `is_error` and, if the upstream
answered at all, `api_error_status`; and before them `api_retry`, while the CLI still retries.
`subtype` and `terminal_reason` differ between versions, and are "success" or "completed" at times.

Only `api_retry` has the API's `retry-after` (2.1.330); the API's message is in the `result` and in the
debug log (`failure_log`), which is ahead of both. The CLI is allowed one retry more than it may make
(`command`), so that the line comes, and the turn is ended there.
"""

import math
import re
import time
from collections.abc import Callable, Sequence
from typing import Final

from gateway.errors import (
    BackendFailed,
    ContextTooLong,
    GatewayError,
    InvalidRequest,
    ModelNotFound,
    NotAllowed,
    NotAuthenticated,
    Overloaded,
    PayloadTooLarge,
    TimedOut,
    UpstreamRateLimited,
)
from gateway.types import ChatRequest
from gateway_claude_code.account.refusals import LONG_WAIT, account_refusal, plan_used_up
from gateway_claude_code.login.words import login_help
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.media_words import media_refusal
from gateway_claude_code.response.error_words import client_words, without_jargon
from gateway_claude_code.response.public_words import public_words

NOT_LOGGED_IN: Final = "Not logged in"
"""The beginning of the CLI's own message without a login, before any request (2.1.330)."""

FINAL_STATUSES: Final = frozenset({400, 401, 403, 404, 413, 429})
"""Upstream statuses after which an immediate retry is useless."""

# 529 is `overloaded_error` (platform.claude.com/docs/en/api/errors); clouds and proxies send 503
OVERLOADED: Final = frozenset({503, 529})
CLIENT_ERRORS: Final = 4
"""The first digit of the statuses for a faulty request."""

COME_BACK_SECONDS: Final = 5
"""Our `retry-after` if the API gives none: its trouble seldom ends within a second."""
FIRST_PAUSE: Final = 0.5
"""Seconds before the CLI's first retry if the API gave no time; each retry doubles it, plus up to a
quarter (seen with 2.1.330: 0.50 to 0.63). A longer pause is the API's, plus up to a quarter."""
JITTER: Final = 1.3
MOST_ADDED: Final = 1.25


# `api_error` of the `<synthetic>` line (2.1.330; doctor: media_removed)
MEDIA_ERRORS: Final = frozenset({"media_removed", "pdf_too_large", "pdf_password_protected"})
RATE_LIMITED: Final = 429
_LIMIT_REACHED: Final = re.compile(
    r"\b(?:hit|reached) your [\w -]*limit|usage limit reached", re.IGNORECASE
)
"""CLI 2.1.330: "You've hit your 5-hour limit · resets 2:08am (UTC)"."""

_BOTH_TOO_LONG: Final = re.compile(
    r"input length and .?max_tokens.? exceed context limit(?:: (\d+ \+ \d+ > \d+))?", re.IGNORECASE
)
_TOO_LONG: Final = re.compile(rf"^prompt is too long\b|{_BOTH_TOO_LONG.pattern}", re.IGNORECASE)
"""The API's sentences (platform.claude.com/docs/en/build-with-claude/context-windows); CLI 2.1.330
knows both."""


class ApiRefusal(InvalidRequest):
    """A 400 of the API, in its own words.

    `offered` are the names of the tools that the API's request had, in its order.
    """

    def __init__(self, message: str, *, param: str | None, offered: Sequence[str] = ()) -> None:
        super().__init__(message, param=param)
        self.offered = tuple(offered)


class MediaRefused(ApiRefusal):
    """The API rejects a picture or a document of the conversation.

    `kind` is the CLI's word for it, "image" or "document"; None if it does not say which.
    """

    def __init__(self, kind: str | None, sentence: str) -> None:
        super().__init__(sentence, param="messages")
        self.kind = kind


class LoginRefused(NotAuthenticated):
    """The CLI has a login, and the API refuses it. `sentence` is the API's own."""

    def __init__(self, sentence: str) -> None:
        super().__init__(
            f"The Claude Code CLI's login was refused ({sentence}): {login_help(anywhere=True)}",
            should_retry=False,
        )
        self.sentence = sentence


def told(error: GatewayError, request: ChatRequest) -> GatewayError:
    """The error for the client that sent `request`, in its own terms."""
    if not isinstance(error, ApiRefusal):
        return error
    words = client_words(error.message, request, error.offered)
    if isinstance(error, MediaRefused):
        return media_refusal(error.kind, words.text, request)
    return InvalidRequest(words.text, param=words.param)


class FailureReader:
    """Follows the lines of one turn, and creates the error of a failed one."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._name: str | None = None
        self._limit = ""
        self._resets_at: float | None = None
        self._status: int | None = None
        self._offered: tuple[str, ...] = ()

    def read(self, line: Line, sentence: str | None = None) -> GatewayError | None:
        """The error that this line ends the turn with, if any.

        `sentence` is the API's own, for a line that does not have it itself (`api_retry`).
        """
        match line:
            # comes before the failure, on a plan only; "allowed_warning" is not one (2.1.330)
            case {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected"} as info}:
                self._resets_at = info.get("resetsAt")
                self._limit = str(info.get("rateLimitType") or "")
            # the names of `error` are on code.claude.com/docs/en/headless, "Handle API retries"
            case {"type": "assistant", "message": {"model": "<synthetic>"}}:
                self._name = line.get("error")
                if removes_media(line):
                    return MediaRefused(_media_kind(line), public_words(sentence or ""))
            # the tools that the CLI kept, in the order of the body (2.1.330; doctor: tool_list)
            case {"type": "system", "subtype": "init", "tools": [*tools]}:
                self._offered = tuple(map(str, tools))
            case {"type": "system", "subtype": "api_retry"}:
                return self._retry(line, sentence)
            case {"type": "result", "is_error": True}:
                return self._result(line)
        return None

    def _retry(self, line: Line, sentence: str | None) -> GatewayError | None:
        # null without an HTTP answer (code.claude.com/docs/en/headless)
        status, self._name = line.get("error_status"), line.get("error") or self._name
        if isinstance(status, int):
            self._status = status
        if not is_final_retry(line):
            return None
        text = sentence or _no_sentence(status)
        return self._error(status, text, asked_pause(line) or COME_BACK_SECONDS)

    def _result(self, line: Line) -> GatewayError:
        status = line.get("api_error_status")
        text = str(line.get("result") or "; ".join(map(str, line.get("errors") or ())))
        # `command.LEAST_BUDGET` keeps 2.1.330 from asking again after an answer that broke off
        if line.get("subtype") == "error_max_budget_usd" and self._name is None:
            return BackendFailed("The upstream's answer was interrupted.")
        if line.get("terminal_reason") == "prompt_too_long":
            return _too_long(text)
        return self._error(status if isinstance(status, int) else None, text, None)

    def _error(self, status: int | None, sentence: str, pause: float | None) -> GatewayError:
        text = public_words(without_jargon(sentence))
        if self._resets_at is not None and self._is_limit(status, text):
            return plan_used_up(self._limit, self._resets_at, self._now())
        if (refusal := account_refusal(text, self._name, status)) is not None:
            return refusal
        if status in (None, 400) and _TOO_LONG.search(text):
            return _too_long(text)
        if status is None:
            return self._without_status(text, pause)
        return self._by_status(status, text, pause)

    def _is_limit(self, status: int | None, text: str) -> bool:
        """Whether the failure is the announced limit; a turn may also fail for another reason."""
        unnamed = status is None and self._name == "rate_limit"
        return status == RATE_LIMITED or unnamed or _LIMIT_REACHED.search(text) is not None

    def _without_status(self, text: str, pause: float | None) -> GatewayError:
        match self._name:  # code.claude.com/docs/en/headless, "Handle API retries"
            case "authentication_failed":
                return _not_logged_in(text)
            case "rate_limit":
                return _rate_limited(text, pause)
            case "model_not_found":
                return ModelNotFound(text, param="model")
            case _ if self._status in OVERLOADED or "Overloaded" in text:
                return _overloaded(text, pause)
            case _:
                return BackendFailed(f"The Claude Code CLI could not get an answer. {text}")

    def _by_status(self, status: int, text: str, pause: float | None) -> GatewayError:
        match status:  # platform.claude.com/docs/en/api/errors, "HTTP errors"
            case 401:
                return _not_logged_in(text)
            # `permission_error`: of the login, and not of the gateway's key
            case 403:
                return NotAllowed(text)
            # `not_found_error`: the path exists, so it is the model that does not
            case 404:
                return ModelNotFound(text, param="model")
            case 413:
                return PayloadTooLarge(text)  # 32 MB, and refused before the API: the same page
            case 429:
                return _rate_limited(text, pause)
            case 503 | 529:
                return _overloaded(text, pause)
            # `timeout_error` is 504 (platform.claude.com/docs/en/api/errors); 408 is of proxies
            case 408 | 504:
                return TimedOut(text)
            # mostly 400: the request, which was made here, or something in it that is the client's
            case _ if status // 100 == CLIENT_ERRORS:
                return ApiRefusal(text, param=client_words(text).param, offered=self._offered)
            case _:
                return BackendFailed(f"The model's API failed with status {status}. {text}")


def removes_media(line: Line) -> bool:
    """Whether the CLI removes media that the API refused, and asks again without them.

    CLI 2.1.330: `api_error: media_removed`, with `api_error_params: {media: "image" | "document",
    media_reason: "unprocessable" | "unsupported_by_model" | "media_budget"}`.
    """
    return line.get("type") == "assistant" and line.get("api_error") in MEDIA_ERRORS


def _media_kind(line: Line) -> str | None:
    params = line.get("api_error_params")
    kind = params.get("media") if isinstance(params, dict) else None
    if kind is None and str(line.get("api_error")).startswith("pdf_"):
        return "document"
    return kind if isinstance(kind, str) else None


def is_final_retry(line: Line) -> bool:
    """Whether an `api_retry` announces a retry that must not happen.

    It is useless, or it is the extra one that the CLI is allowed (see `command`).
    """
    attempt, most = line.get("attempt"), line.get("max_retries")
    # both count from 1 (code.claude.com/docs/en/headless, "Handle API retries")
    last = isinstance(attempt, int) and isinstance(most, int) and attempt >= most
    return last or line.get("error_status") in FINAL_STATUSES


def asked_pause(line: Line) -> float | None:
    """The API's `retry-after` in seconds, from an `api_retry`; None if the pause is the CLI's own.

    The CLI adds a random part of up to a quarter, and gives up at once if it is more than a minute
    (2.1.330). The API may have said less, but not more: no client comes back too early.
    """
    delay, attempt = line.get("retry_delay_ms"), line.get("attempt")
    if not isinstance(delay, int | float):
        return None
    doubled = 2 ** max(attempt - 1, 0) if isinstance(attempt, int) else 1
    own = FIRST_PAUSE * doubled * JITTER
    if delay / 1000 <= own:
        return None
    return min(math.ceil(delay / 1000), LONG_WAIT)


def _too_long(text: str) -> ContextTooLong:
    """Clients shorten a conversation by themselves when they read this code."""
    # the API's phrases stay in the text, as agents search for them to compact by themselves
    if (both := _BOTH_TOO_LONG.search(text)) is not None:
        numbers = f": {both[1]}" if both[1] else ""
        return ContextTooLong(
            "The conversation and max_tokens together are too long for the model (input "
            f"length and max_tokens exceed context limit{numbers}). Shorten the messages, or lower "
            "max_tokens.",
            param="messages",
        )
    return ContextTooLong(
        "The conversation is too long for the model (prompt is too long). "
        "Shorten the messages or start a new conversation.",
        param="messages",
    )


def _rate_limited(text: str, pause: float | None) -> UpstreamRateLimited:
    """Without a `pause` the CLI gave up at once: it waits up to a minute at the API's request (2.1.330)."""
    message = f"The model's API limits the rate of requests: {text}"
    if pause is None:
        return UpstreamRateLimited(message, retry_after=LONG_WAIT, should_retry=False)
    return UpstreamRateLimited(message, retry_after=pause)


def _overloaded(text: str, pause: float | None) -> Overloaded:
    # the API's message of a 529 is just "Overloaded" (platform.claude.com/docs/en/api/errors)
    more = "" if text.strip(" .").lower() in ("overloaded", "") else f" {text}"
    return Overloaded(
        f"The model's API is overloaded.{more}", retry_after=pause or COME_BACK_SECONDS
    )


def _no_sentence(status: object) -> str:
    if isinstance(status, int):
        return f"The model's API answered with status {status}."
    return "The model's API could not be reached."


def _not_logged_in(text: str) -> NotAuthenticated:
    # both have `authentication_failed`, and only the sentence tells them apart (2.1.330)
    if not text.startswith(NOT_LOGGED_IN):
        return LoginRefused(text)
    return NotAuthenticated(
        f"The Claude Code CLI is not logged in: {login_help(anywhere=True)}", should_retry=False
    )


class NotReady(TimedOut):
    """The CLI does not answer a request that it always answers at once."""


class ForbiddenTooSoon(NotReady):
    """`NO_FURTHER_REQUEST` reached the CLI before its first request."""

    def __init__(self) -> None:
        super().__init__("The Claude Code CLI did not send the request.")


class ProcessGone(BackendFailed):
    """The CLI ended before the answer was complete."""


def exited(code: int | None, *, started: bool) -> ProcessGone:
    """The error about a CLI that has ended."""
    when = "in the middle of its answer" if started else "before it answered"
    how = "stopped responding"
    if code is not None:
        # asyncio gives a signal as a negative number
        how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
    return ProcessGone(f"The Claude Code CLI {how} {when}.")
