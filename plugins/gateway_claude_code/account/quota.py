"""The state of the account: a plan that is used up is answered from memory.

On a subscription the CLI says after each upstream answer how things stand (`rate_limit_event`;
seen with 2.1.330): `status` "allowed", "allowed_warning" or "rejected", `rateLimitType` "five_hour",
"seven_day", "seven_day_opus", …, `resetsAt` in seconds of Unix time, and `unifiedWindows` with the
`utilization` (0 to 1) of each.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.errors import QuotaExhausted
from gateway_claude_code.account.refusals import AccountRefusal, AccountState, plan_used_up

PROBE_SECONDS: Final = 300
"""How often one request is let through nevertheless: the user may have got more meanwhile."""
CREDIT_SECONDS: Final = 60
"""For how long an empty account is answered from memory: paying is quick, and nobody tells us."""
SHOWN_SECONDS: Final = 3600
"""For how long a refusal without a time is shown. It may concern one client's requests only."""
_FAMILIES: Final = ("opus", "sonnet", "haiku", "fable")


@dataclass(slots=True)
class _Refused:
    """A refusal, when it came (`at`, Unix time), and when a request last tried it (`probed`)."""

    error: AccountRefusal
    model: str
    at: float
    probed: float


class Quota:
    """The account of one login. `now` is Unix time, `elapsed` a clock that nobody sets."""

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._elapsed = elapsed
        self._last: Mapping[str, Any] = {}
        self._windows: dict[str, dict[str, Any]] = {}
        self._refused: dict[str, _Refused] = {}
        self._refused_requests: dict[bytes, tuple[AccountRefusal, float]] = {}

    def note(self, info: object) -> None:
        """Take the `rate_limit_info` of an event."""
        if isinstance(info, Mapping):
            self._last = info
            self._windows.update(_windows_of(info.get("unifiedWindows")))

    def note_windows(self, windows: Mapping[str, Mapping[str, Any]]) -> None:
        """Take the plan's windows as the CLI was asked for them: `utilization` and `resets_at`."""
        self._windows.update({name: dict(window) for name, window in windows.items()})

    def remember(
        self, model: str, error: QuotaExhausted, request: Callable[[], bytes] = bytes
    ) -> None:
        """A request for this model failed for that reason. `request` tells it from others."""
        if not isinstance(error, AccountRefusal):
            return
        if error.state == "extra_usage":
            self._forget_requests()
            if same := request():
                self._refused_requests[same] = (error, self._elapsed())
        scope = self._scope(model, error)
        self._refused[scope] = _Refused(error, model, self._now(), self._elapsed())

    def succeeded(self, model: str) -> None:
        """A request for this model was answered."""
        for scope in [scope for scope in self._refused if scope in model]:
            del self._refused[scope]

    def check(self, model: str, request: Callable[[], bytes] = bytes) -> None:
        """Raises `QuotaExhausted` if a request for this model is known to be of no use.

        Whether a request counts as extra usage depends on the request as well, so that others are
        still tried; the same one, which clients send again by themselves, is not.
        """
        self._forget()
        self._forget_requests()
        if self._refused_requests and (found := self._refused_requests.get(request())):
            raise self._again(found[0])
        for scope, known in self._refused.items():
            if scope not in model or known.error.state == "extra_usage":
                continue
            probe = CREDIT_SECONDS if known.error.resets_at is None else PROBE_SECONDS
            if self._elapsed() - known.probed >= probe:
                known.probed = self._elapsed()
            else:
                raise self._again(known.error)

    def _forget_requests(self) -> None:
        now = self._elapsed()
        for request, (_, at) in list(self._refused_requests.items()):
            if now - at >= CREDIT_SECONDS:
                del self._refused_requests[request]

    def _again(self, error: AccountRefusal) -> AccountRefusal:
        """The same refusal as it is to be told now."""
        if error.state == "plan_used_up" and error.resets_at is not None:
            return plan_used_up(error.limit, error.resets_at, self._now())
        return AccountRefusal(
            error.message,
            error.state,
            resets_at=error.resets_at,
            retry_after=None if error.resets_at is None else error.resets_at - self._now(),
        )

    def _forget(self) -> None:
        now = self._now()
        for scope, known in list(self._refused.items()):
            resets_at = known.error.resets_at
            if (known.at + SHOWN_SECONDS if resets_at is None else resets_at) <= now:
                del self._refused[scope]

    def account(self) -> dict[str, Any]:
        """The refusal that holds now, for `GET /health`; empty if the account is fine.

        `state`, `message`, `since` and `resets_at` in Unix time, and the `models` concerned
        (None for all).
        """
        self._forget()
        if not self._refused:
            return {}
        scope, known = max(self._refused.items(), key=lambda item: item[1].at)
        error = self._again(known.error)
        state: AccountState = error.state
        return {
            "state": state,
            "message": error.message,
            "since": known.at,
            "resets_at": error.resets_at,
            "models": scope or None,
        }

    def report(self) -> dict[str, Any]:
        """For `GET /health`: the windows as last heard of; nothing where there is no plan."""
        report: dict[str, Any] = {}
        if self._last:
            report = {
                "status": self._last.get("status"),
                "limit": self._last.get("rateLimitType"),
                "resets_at": self._last.get("resetsAt"),
            }
        if self._windows:
            report["windows"] = {name: dict(window) for name, window in self._windows.items()}
        return report

    def _scope(self, model: str, error: AccountRefusal) -> str:
        """A part of the names of the models that the limit is about; "" is in all names."""
        if error.state == "extra_usage":
            return model
        limit = error.limit or str(self._last.get("rateLimitType", ""))
        family = next((name for name in _FAMILIES if limit.endswith(f"_{name}")), "")
        return family if family in model else ""


def _windows_of(windows: object) -> dict[str, dict[str, Any]]:
    if not isinstance(windows, Mapping):
        return {}
    return {
        name: {"utilization": window.get("utilization"), "resets_at": window.get("resetsAt")}
        for name, window in windows.items()
        if isinstance(window, Mapping)
    }
