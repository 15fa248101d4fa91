"""What is known of the plan's quota: a quota that is used up is answered from memory.

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

PROBE_SECONDS: Final = 300
"""How often one request is let through nevertheless: the user may have got more meanwhile."""
LONG_WAIT: Final = 60
"""Seconds. A client should not wait longer than this on its own."""
_FAMILIES: Final = ("opus", "sonnet", "haiku")


def exhausted(text: str, seconds: float) -> QuotaExhausted:
    """The error for a quota that is used up for so many seconds more."""
    wait = max(seconds, 1)
    return QuotaExhausted(text, retry_after=wait, should_retry=False if wait > LONG_WAIT else None)


@dataclass(slots=True)
class _Exhausted:
    text: str
    resets_at: float
    probed: float


class Quota:
    """The quota of one login. `now` is Unix time, `elapsed` a clock that nobody sets."""

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._elapsed = elapsed
        self._last: Mapping[str, Any] = {}
        self._exhausted: dict[str, _Exhausted] = {}

    def note(self, info: object) -> None:
        """Take the `rate_limit_info` of an event."""
        if isinstance(info, Mapping):
            self._last = info

    def remember(self, model: str, error: QuotaExhausted) -> None:
        """A request for this model failed for that reason. Without a time nothing is remembered."""
        if error.retry_after is None:
            return
        until = self._now() + error.retry_after
        scope = self._scope(model)
        self._exhausted[scope] = _Exhausted(error.message, until, self._elapsed())

    def succeeded(self, model: str) -> None:
        """A request for this model was answered."""
        for scope in [scope for scope in self._exhausted if scope in model]:
            del self._exhausted[scope]

    def check(self, model: str) -> None:
        """Raises `QuotaExhausted` if a request for this model is known to be of no use."""
        for scope, known in list(self._exhausted.items()):
            if scope not in model:
                continue
            left = known.resets_at - self._now()
            if left <= 0:
                del self._exhausted[scope]
            elif self._elapsed() - known.probed >= PROBE_SECONDS:
                known.probed = self._elapsed()
            else:
                raise exhausted(known.text, left)

    def report(self) -> dict[str, Any]:
        """For `GET /health`: the windows as last heard of; nothing where there is no plan."""
        if not self._last:
            return {}
        windows = self._last.get("unifiedWindows")
        report: dict[str, Any] = {
            "status": self._last.get("status"),
            "limit": self._last.get("rateLimitType"),
            "resets_at": self._last.get("resetsAt"),
        }
        if isinstance(windows, Mapping):
            report["windows"] = {
                name: {
                    "utilization": window.get("utilization"),
                    "resets_at": window.get("resetsAt"),
                }
                for name, window in windows.items()
                if isinstance(window, Mapping)
            }
        return report

    def _scope(self, model: str) -> str:
        """A part of the names of the models that the limit is about; "" is in all names."""
        limit = str(self._last.get("rateLimitType", ""))
        family = next((name for name in _FAMILIES if limit.endswith(f"_{name}")), "")
        return family if family in model else ""
