"""The limits of a key: requests and tokens a minute, and requests at the same time. In memory.

A call for several answers (`n`) counts as that many requests.
"""

import math
import time
from typing import Final

from gateway.errors import InvalidRequest, RateLimited
from gateway_access.config import KeyEntry
from gateway_access.limits.places import Places
from gateway_access.limits.token_bucket import MINUTE, Bucket, Clock

BUSY_SECONDS: Final = 1.0
"""For `retry-after`, if too many requests are in progress: their ends are unknown."""


class KeyLimits:
    """The limits of one key, and how much of them is left."""

    def __init__(self, entry: KeyEntry, clock: Clock) -> None:
        self.entry = entry
        self._running = 0
        self.places = None if entry.concurrent is None else Places(entry.concurrent)
        self._requests = _bucket(entry.requests_per_minute, clock)
        self._tokens = _bucket(entry.tokens_per_minute, clock)

    def enter(self) -> None:
        """Begin a request; `leave` ends it. Raises `RateLimited`, and then nothing has begun."""
        name = self.entry.name
        if self.entry.concurrent is not None and self._running >= self.entry.concurrent:
            raise RateLimited(
                f"The key {name!r} already has {self._running} requests in progress, its limit.",
                retry_after=BUSY_SECONDS,
            )
        if self._tokens is not None and self._tokens.level <= 0:
            raise RateLimited(
                f"The key {name!r} has used its {self._tokens.capacity} tokens per minute.",
                retry_after=self._tokens.seconds_until(1),
            )
        if self._requests is not None:
            if self._requests.level < 1:
                raise RateLimited(
                    f"The key {name!r} has used its {self._requests.capacity} requests per minute.",
                    retry_after=self._requests.seconds_until(1),
                )
            self._requests.take(1)
        self._running += 1

    def admit(self, answers: int) -> None:
        """Count the answers that a call which has entered asks for; the first is counted already.

        Raises `InvalidRequest` for more than the key may ever have in a minute, and `RateLimited`
        for more than it has left; then the call has not counted at all.
        """
        requests, more = self._requests, answers - 1
        if requests is None or not more:
            return
        if answers > requests.capacity:
            raise InvalidRequest(
                f"Each of the {answers} answers counts as a request, and the key "
                f"{self.entry.name!r} is limited to {requests.capacity} requests per minute. "
                "Request fewer at once.",
                param="n",
            )
        if requests.level < more:
            requests.take(-1)
            raise RateLimited(
                f"Each of the {answers} answers counts as a request, and the key "
                f"{self.entry.name!r} has {math.floor(requests.level)} of its {requests.capacity} "
                "requests per minute left.",
                retry_after=requests.seconds_until(answers),
            )
        requests.take(more)

    def leave(self) -> None:
        """A request that has entered is over."""
        self._running -= 1

    def spend(self, tokens: int) -> None:
        """An answer has cost so much. It may be more than is left; then the key has to wait."""
        if self._tokens is not None:
            self._tokens.take(tokens)

    def headers(self) -> dict[str, str]:
        """The rest of each limit, in OpenAI's headers.

        (https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers)
        """
        found: dict[str, str] = {}
        for what, bucket in (("requests", self._requests), ("tokens", self._tokens)):
            if bucket is not None:
                full = bucket.seconds_until(bucket.capacity)
                found[f"x-ratelimit-limit-{what}"] = str(bucket.capacity)
                found[f"x-ratelimit-remaining-{what}"] = str(max(0, math.floor(bucket.level)))
                found[f"x-ratelimit-reset-{what}"] = duration(full)
        return found


class Limits:
    """The limits of all keys. A key whose entry is changed begins anew."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, KeyLimits] = {}

    def of(self, entry: KeyEntry) -> KeyLimits | None:
        """Those of one key; None if it has none."""
        if entry.concurrent is entry.requests_per_minute is entry.tokens_per_minute is None:
            return None
        known = self._known.get(entry.name)
        if known is None or known.entry != entry:
            known = self._known[entry.name] = KeyLimits(entry, self._clock)
        return known


def duration(seconds: float) -> str:
    """As these headers have it: `0s`, `120ms`, `7.66s`, `6m0s`; rounded up."""
    milliseconds = math.ceil(seconds * 1000)
    if 0 < milliseconds < 1000:  # noqa: PLR2004 - of a second
        return f"{milliseconds}ms"
    if milliseconds < MINUTE * 1000:
        return f"{milliseconds / 1000:g}s"
    minutes, rest = divmod(math.ceil(seconds), int(MINUTE))
    return f"{minutes}m{rest}s"


def _bucket(capacity: int | None, clock: Clock) -> Bucket | None:
    return None if capacity is None else Bucket(capacity, clock)
