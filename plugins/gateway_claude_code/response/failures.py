"""From what the CLI says of a failure to a `GatewayError`. Pure, but for how `dragoman` is typed here.

A failure shows in three kinds of lines (seen with 2.1.197 and 2.1.330): an `assistant` line of
the model "<synthetic>" with the `error`'s name, then a `result` with `is_error` and, where the
upstream answered at all, `api_error_status`; and before them `api_retry`, while the CLI tries on.
`subtype` and `terminal_reason` differ between versions, and are "success" or "completed" at times.

`api_retry` has the API's `retry-after`, and no other line has; the API's sentence is in the `result`
and in the debug log (`failure_log`), which is ahead of both. The CLI is allowed one retry more than
it may make (`command`), so that the line comes, and the turn is ended there.
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
"""How the CLI's own sentence begins, before it asked anybody (2.1.330)."""

FINAL_STATUSES: Final = frozenset({400, 401, 403, 404, 413, 429})
"""Upstream statuses for which trying again at once is of no use."""

OVERLOADED: Final = frozenset({503, 529})
CLIENT_ERRORS: Final = 4
"""The first digit of the statuses that say that the request is at fault."""

COME_BACK_SECONDS: Final = 5
"""What is told as `retry-after` where the API says nothing: its trouble seldom ends in a second."""
FIRST_PAUSE: Final = 0.5
"""Seconds before the CLI's first retry where the API gave no time; each doubles it, and adds up to
a quarter (seen with 2.1.330: 0.50 to 0.63). A longer one is the API's, with up to a quarter more."""
JITTER: Final = 1.3
MOST_ADDED: Final = 1.25


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
    """The API calls the request invalid, in its own words.

    `offered` are the names of the tools that the API's request had, in its order.
    """

    def __init__(self, message: str, *, param: str | None, offered: Sequence[str] = ()) -> None:
        super().__init__(message, param=param)
        self.offered = tuple(offered)


class MediaRefused(ApiRefusal):
    """The API does not take a picture or a document of the conversation.

    `kind` is the CLI's word for it, "image" or "document"; None for all of them together.
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
    """The error as the client that sent `request` is to be told of it, in its own words."""
    if not isinstance(error, ApiRefusal):
        return error
    words = client_words(error.message, request, error.offered)
    if isinstance(error, MediaRefused):
        return media_refusal(error.kind, words.text, request)
    return InvalidRequest(words.text, param=words.param)


class FailureReader:
    """Follows the lines of one turn, and makes the error when the turn has failed."""

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
            case {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected"} as info}:
                self._resets_at = info.get("resetsAt")
                self._limit = str(info.get("rateLimitType") or "")
            case {"type": "assistant", "message": {"model": "<synthetic>"}}:
                self._name = line.get("error")
                if removes_media(line):
                    return MediaRefused(_media_kind(line), public_words(sentence or ""))
            case {"type": "system", "subtype": "init", "tools": [*tools]}:
                self._offered = tuple(map(str, tools))
            case {"type": "system", "subtype": "api_retry"}:
                return self._retry(line, sentence)
            case {"type": "result", "is_error": True}:
                return self._result(line)
        return None

    def _retry(self, line: Line, sentence: str | None) -> GatewayError | None:
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
        if line.get("subtype") == "error_max_budget_usd" and self._name is None:
            return BackendFailed("The upstream's answer broke off before its end.")
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
        """Whether the failure is the limit that was announced; a turn may fail of another cause."""
        unnamed = status is None and self._name == "rate_limit"
        return status == RATE_LIMITED or unnamed or _LIMIT_REACHED.search(text) is not None

    def _without_status(self, text: str, pause: float | None) -> GatewayError:
        match self._name:
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
        match status:
            case 401:
                return _not_logged_in(text)
            case 403:
                return NotAllowed(text)
            case 404:
                return ModelNotFound(text, param="model")
            case 413:
                return PayloadTooLarge(text)
            case 429:
                return _rate_limited(text, pause)
            case 503 | 529:
                return _overloaded(text, pause)
            case 408 | 504:
                return TimedOut(text)
            case _ if status // 100 == CLIENT_ERRORS:
                return ApiRefusal(text, param=client_words(text).param, offered=self._offered)
            case _:
                return BackendFailed(f"The model's API failed with status {status}. {text}")


def removes_media(line: Line) -> bool:
    """Whether the CLI leaves out media that the API refused, and asks again without them.

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
    """Whether an `api_retry` announces a retry that is not to be made.

    It is of no use, or it is the one that the CLI is allowed beyond what it may make.
    """
    attempt, most = line.get("attempt"), line.get("max_retries")
    last = isinstance(attempt, int) and isinstance(most, int) and attempt >= most
    return last or line.get("error_status") in FINAL_STATUSES


def asked_pause(line: Line) -> float | None:
    """The API's `retry-after` in seconds, from an `api_retry`; None if the pause is the CLI's own.

    The CLI adds up to a quarter by chance, and gives up at once where it is more than a minute
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
    """Clients make a conversation shorter by themselves when they read this code."""
    if (both := _BOTH_TOO_LONG.search(text)) is not None:
        numbers = f": {both[1]}" if both[1] else ""
        return ContextTooLong(
            "The conversation and max_tokens together are longer than the model takes (input "
            f"length and max_tokens exceed context limit{numbers}). Shorten the messages, or lower "
            "max_tokens.",
            param="messages",
        )
    return ContextTooLong(
        "The conversation is longer than the model takes (prompt is too long). "
        "Shorten the messages or start a new conversation.",
        param="messages",
    )


def _rate_limited(text: str, pause: float | None) -> UpstreamRateLimited:
    """Without a `pause` the CLI gave up at once: it waits for up to a minute (2.1.330) if asked."""
    message = f"The model's API limits the rate of requests: {text}"
    if pause is None:
        return UpstreamRateLimited(message, retry_after=LONG_WAIT, should_retry=False)
    return UpstreamRateLimited(message, retry_after=pause)


def _overloaded(text: str, pause: float | None) -> Overloaded:
    more = "" if text.strip(" .").lower() in ("overloaded", "") else f" {text}"
    return Overloaded(
        f"The model's API is overloaded.{more}", retry_after=pause or COME_BACK_SECONDS
    )


def _no_sentence(status: object) -> str:
    if isinstance(status, int):
        return f"The model's API answered with status {status}."
    return "The model's API could not be reached."


def _not_logged_in(text: str) -> NotAuthenticated:
    if not text.startswith(NOT_LOGGED_IN):
        return LoginRefused(text)
    return NotAuthenticated(
        f"The Claude Code CLI is not logged in: {login_help(anywhere=True)}", should_retry=False
    )


class NotReady(TimedOut):
    """The CLI does not answer what it always answers at once."""


class ForbiddenTooSoon(NotReady):
    """The CLI was told to ask nothing more (`NO_FURTHER_REQUEST`) before it had asked anything."""

    def __init__(self) -> None:
        super().__init__("The Claude Code CLI did not send the request.")


class ProcessGone(BackendFailed):
    """The CLI is gone before the answer was complete."""


def exited(code: int | None, *, started: bool) -> ProcessGone:
    """What to say of a CLI that is gone, and how."""
    when = "in the middle of its answer" if started else "before it answered"
    how = "fell silent"
    if code is not None:
        how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
    return ProcessGone(f"The Claude Code CLI {how} {when}.")
