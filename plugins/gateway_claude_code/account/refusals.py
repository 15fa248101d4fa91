"""Refusals that are about the account and not about the request. Pure.

Each becomes a 429 that tells clients not to try again by themselves, in one form for all of them;
docs/quota.md describes how each client reacts to it:

- A limit that resets by itself (a plan's window, a spend limit) is `upstream_rate_limited`. With
  `insufficient_quota`, OpenClaw would disable the provider for five hours and more.
- `retry-after` is given up to `LONG_WAIT` only. OpenCode and qwen-code sleep for as long as it says.
- What only a person can change (extra usage, credit) is `insufficient_quota`, without a time.
"""

import re
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from gateway.errors import QuotaExhausted, UpstreamRateLimited
from gateway.machine.command_name import command_line

AccountState: TypeAlias = Literal["plan_used_up", "spend_limit", "extra_usage", "billing"]

LONG_WAIT: Final = 60
"""Seconds. No client should wait longer than this without a word to its user."""
PLAN_PAGE: Final = "https://claude.ai/settings/usage"
CREDIT_PAGE: Final = "https://platform.claude.com/settings/billing"

LIMITS: Final = {
    "five_hour": "5-hour",
    "seven_day": "weekly",
    "seven_day_opus": "weekly Opus",
    "seven_day_sonnet": "weekly Sonnet",
}
"""`rateLimitType` of the CLI's `rate_limit_event` (2.1.330), in words."""

_EXTRA_USAGE: Final = re.compile(
    r"draw from your extra usage|out of (?:extra usage|usage credits)"
    r"|extra usage is required|usage credits (?:are )?required|requires usage credits"
    r"|(?:doesn't|does not) include extra usage|usage limit is set to \$0",
    re.IGNORECASE,
)
"""The API's sentences for use beyond the plan: public issues (anthropics/claude-code#45911), and
those that CLI 2.1.330 knows by their beginnings."""
_CREDIT: Final = re.compile(r"credit balance is too low", re.IGNORECASE)
_SPEND_LIMIT: Final = re.compile(
    r"reached your (?:specified )?API usage limits|spend limit reached", re.IGNORECASE
)
"""platform.claude.com/docs/en/api/rate-limits, "Reaching your spend cap"; the CLI's error
reference, "Spend limit reached"."""
_UNTIL: Final = re.compile(r"(\d{4}-\d\d-\d\d) (?:at )?(\d\d:\d\d) UTC")

PAYMENT_REQUIRED: Final = 402


class AccountRefusal(QuotaExhausted):
    """The account behind the CLI's login is refused: `state` says why.

    `resets_at` is Unix time, None if nothing but a person changes it. `limit` is the CLI's name
    of the plan's window, such as "five_hour".
    """

    def __init__(
        self,
        message: str,
        state: AccountState,
        *,
        resets_at: float | None = None,
        limit: str = "",
        retry_after: float | None = None,
    ) -> None:
        resets = resets_at is not None
        short = retry_after is not None and retry_after <= LONG_WAIT
        super().__init__(
            message,
            code=UpstreamRateLimited.code if resets else None,
            retry_after=retry_after if short else None,
            should_retry=None if short else False,
        )
        self.state: AccountState = state
        self.resets_at = resets_at
        self.limit = limit


def plan_used_up(limit: str, resets_at: float, now: float) -> AccountRefusal:
    """A window of the plan is used up until `resets_at`; both times are Unix time.

    "Quota exceeded" and "usage limit" are the words by which pi stops, and by which OpenClaw
    takes it for a rate limit. Words about payment would be taken for a billing failure.
    """
    name = LIMITS.get(limit, limit.replace("_", " "))
    wait = max(resets_at - now, 1)
    text = (
        f"Quota exceeded: the {name} usage limit of the Claude plan is reached. "
        f"It resets at {_moment(resets_at)} (in {span(wait)}). "
        f"Usage is shown by `{command_line('status', anywhere=True)}` and at {PLAN_PAGE}."
    )
    return AccountRefusal(
        " ".join(text.split()), "plan_used_up", resets_at=resets_at, limit=limit, retry_after=wait
    )


def account_refusal(sentence: str, name: str | None, status: int | None) -> AccountRefusal | None:
    """The refusal that the API's sentence is, or None if it is about something else.

    `name` is the CLI's word for the error ("billing_error"), `status` the API's.
    """
    if _SPEND_LIMIT.search(sentence):
        return _spend_limit(sentence)
    if _EXTRA_USAGE.search(sentence):
        return AccountRefusal(
            f"The Claude plan does not cover this request. It would count as extra usage, which "
            f"is off or used up: {_quoted(sentence)} See {PLAN_PAGE}.",
            "extra_usage",
        )
    if name == "billing_error" or status == PAYMENT_REQUIRED or _CREDIT.search(sentence):
        return AccountRefusal(
            f"The account behind the gateway's login has no credit or a payment problem: "
            f"{_quoted(sentence)} For an API key see {CREDIT_PAGE}, for a plan {PLAN_PAGE}.",
            "billing",
        )
    return None


def _spend_limit(sentence: str) -> AccountRefusal:
    resets_at = None
    if found := _UNTIL.search(sentence):
        moment = datetime.strptime(f"{found[1]} {found[2]}", "%Y-%m-%d %H:%M")  # noqa: DTZ007
        resets_at = moment.replace(tzinfo=UTC).timestamp()
    return AccountRefusal(
        f"Quota exceeded: the API account's spend limit is reached: {_quoted(sentence)}",
        "spend_limit",
        resets_at=resets_at,
    )


def span(seconds: float) -> str:
    """A length of time in its two largest units: "1 h 59 min"."""
    minutes = max(1, round(seconds / 60))
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _quoted(sentence: str) -> str:
    """With a full stop, so that another sentence can follow."""
    text = sentence.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
