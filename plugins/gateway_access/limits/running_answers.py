"""The answers on their way for each key, which end when the key is taken back."""

from gateway.context import RequestContext
from gateway.errors import NotAuthenticated
from gateway_access.config import KeyEntry
from gateway_access.keys.keyring import Keyring

WATCH_SECONDS = 0.25
"""How often running answers are checked against the keys."""


def revoked() -> NotAuthenticated:
    """The error for whatever a key began that is known no more."""
    return NotAuthenticated(
        "This key was revoked. Use another key, or ask the owner of the gateway for a new one.",
        code="invalid_api_key",
    )


class RunningAnswers:
    """Those of all keys."""

    def __init__(self) -> None:
        self._answers: dict[int, tuple[KeyEntry, RequestContext]] = {}

    def __bool__(self) -> bool:
        return bool(self._answers)

    def add(self, entry: KeyEntry, ctx: RequestContext) -> None:
        """An answer begins, or begins to wait; `remove` it in every case."""
        self._answers[id(ctx)] = (entry, ctx)

    def remove(self, ctx: RequestContext) -> None:
        """An answer is over."""
        self._answers.pop(id(ctx), None)

    def end_revoked(self, keyring: Keyring) -> None:
        """End those whose key is gone. Another key of the same name is not the same key."""
        for entry, ctx in tuple(self._answers.values()):
            known = keyring.named(entry.name)
            if known is None or known.hash != entry.hash:
                ctx.end(revoked())
