"""From what the CLI says of a failure to a `GatewayError`. Pure.

A failure shows in three kinds of lines (seen with 2.1.197 and 2.1.330): an `assistant` line of
the model "<synthetic>" with the `error`'s name, then a `result` with `is_error` and, where the
upstream answered at all, `api_error_status`; and before them `api_retry`, while the CLI tries on.
`subtype` and `terminal_reason` differ between versions, and are "success" or "completed" at times.
"""

import re
import time
from collections.abc import Callable
from typing import Any, Final

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
    QuotaExhausted,
    RateLimited,
    TimedOut,
)
from gateway_claude_code.protocol import Line
from gateway_claude_code.quota import exhausted

LOGIN_HELP: Final = (
    "run `claude` and then /login (or set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN for the "
    "gateway); if the login is kept in the CLI's settings.json (apiKeyHelper, env), set "
    "plugins.claude_code.use_cli_settings_auth: true"
)

FINAL_STATUSES: Final = frozenset({400, 401, 403, 404, 413, 429})
"""Upstream statuses for which trying again at once is of no use."""

OVERLOADED: Final = 529
CLIENT_ERRORS: Final = 4
"""The first digit of the statuses that say that the request is at fault."""


CLIENT_NAMES: Final = {
    "output_config": "reasoning_effort",
    "stop_sequences": "stop",
    "system": "messages",
    "thinking": "reasoning_effort",
}
"""What clients call the API's parameters, where it is something else."""


class FailureReader:
    """Follows the lines of one turn, and makes the error when the turn has failed."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._name: str | None = None
        self._resets_at: float | None = None
        self._status: int | None = None

    def read(self, line: Line) -> GatewayError | None:
        """The error, if this line decides that there is one."""
        match line:
            case {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected"} as info}:
                self._resets_at = info.get("resetsAt")
            case {"type": "assistant", "message": {"model": "<synthetic>"}}:
                self._name = line.get("error")
            case {"type": "system", "subtype": "api_retry"}:
                return self._retry(line)
            case {"type": "result", "is_error": True}:
                return self._result(line)
        return None

    def _retry(self, line: Line) -> GatewayError | None:
        status = line.get("error_status")
        if isinstance(status, int):
            self._status = status
        if status not in FINAL_STATUSES:
            return None
        wait = line.get("retry_delay_ms")
        retry_after = wait / 1000 if isinstance(wait, int | float) else None
        return self._error(status, f"the model's API answered {status}", retry_after)

    def _result(self, line: Line) -> GatewayError:
        status = line.get("api_error_status")
        text = _plain(line.get("result") or "; ".join(map(str, line.get("errors") or ())))
        if line.get("subtype") == "error_max_budget_usd" and self._name is None:
            return BackendFailed("The upstream's answer broke off before its end.")
        if line.get("terminal_reason") == "prompt_too_long" or text == "Prompt is too long":
            return ContextTooLong(
                "The conversation is longer than the model takes (prompt is too long). "
                "Shorten the messages or start a new conversation.",
                param="messages",
            )
        return self._error(status if isinstance(status, int) else None, text, None)

    def _error(self, status: int | None, text: str, retry_after: float | None) -> GatewayError:
        if self._resets_at is not None:
            return exhausted(text, self._resets_at - self._now())
        if self._name == "billing_error":
            return QuotaExhausted(f"{text} (the account of the CLI's login)", should_retry=False)
        if status is None:
            return self._without_status(text)
        return _by_status(status, text, retry_after)

    def _without_status(self, text: str) -> GatewayError:
        match self._name:
            case "authentication_failed":
                return _not_logged_in(text)
            case "rate_limit":
                return RateLimited(text)
            case "model_not_found":
                return ModelNotFound(text, param="model")
            case _ if self._status == OVERLOADED or "Overloaded" in text:
                return Overloaded(f"The model's API is overloaded. {text}")
            case _:
                return BackendFailed(f"The Claude Code CLI could not get an answer. {text}")


def _by_status(status: int, text: str, retry_after: float | None) -> GatewayError:
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
            return RateLimited(text, retry_after=retry_after)
        case 529:
            return Overloaded(f"The model's API is overloaded. {text}", retry_after=retry_after)
        case 408 | 504:
            return TimedOut(text)
        case _ if status // 100 == CLIENT_ERRORS:
            return InvalidRequest(text, param=_named_parameter(text))
        case _:
            return BackendFailed(f"The model's API failed with status {status}. {text}")


def _not_logged_in(text: str) -> NotAuthenticated:
    return NotAuthenticated(
        f"The Claude Code CLI is not logged in, or its login was refused ({text}): {LOGIN_HELP}",
        should_retry=False,
    )


def _named_parameter(text: str) -> str | None:
    """The parameter that a message of the API begins with, in the words of a client.

    Seen: "temperature: Extra inputs…", "messages.1.content: …", "`temperature` is deprecated…".
    """
    found = re.match(r"`([a-z_]+)`|([a-z_]+)(?:\.[\w.]+)?: ", text)
    if found is None:
        return None
    name = found[1] or found[2]
    return CLIENT_NAMES.get(name, name)


def _plain(text: Any) -> str:  # noqa: ANN401
    return re.sub(r"^API Error: (?:\d{3} )?", "", str(text)).strip() or "no reason was given"


class NotReady(TimedOut):
    """The CLI does not answer what it always answers at once."""


class ProcessGone(BackendFailed):
    """The CLI is gone before the answer was complete."""


def exited(code: int | None, *, started: bool) -> ProcessGone:
    """What to say of a CLI that is gone, and how."""
    when = "in the middle of its answer" if started else "before it answered"
    how = "fell silent"
    if code is not None:
        how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
    return ProcessGone(f"The Claude Code CLI {how} {when}.")
