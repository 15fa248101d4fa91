"""Requests that wait for a process, and may get one that another request gives back meanwhile. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.reuse.set_up import SetUp, Wanted


class Seeker:
    """One request in wait. `found` is what it was handed, which ends its waiting."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.found: Conversation | None = None
        self._waiting: anyio.CancelScope | None = None

    @property
    def waits(self) -> bool:
        """Whether it would take a process now."""
        return self._waiting is not None and self.found is None

    def takes(self, conversation: Conversation) -> bool:
        """Whether a process of its set-up will do, and it waits for one."""
        same = self.wanted.opening == conversation.held.opening
        return self.waits and (same or self.wanted.may_exchange_tools)

    def hand(self, conversation: Conversation) -> None:
        """Give it a process."""
        self.found = conversation
        if self._waiting is not None:
            self._waiting.cancel()

    @contextmanager
    def until_handed(self) -> Iterator[None]:
        """Wait in here while nothing is found; it ends early once something is."""
        try:
            with anyio.CancelScope() as self._waiting:
                if self.found is not None:
                    self._waiting.cancel()
                yield
        finally:
            self._waiting = None


class Seekers:
    """Those of each set-up, in the order in which they came."""

    def __init__(self) -> None:
        self._seekers: dict[SetUp, list[Seeker]] = {}

    @contextmanager
    def seeking(self, wanted: Wanted) -> Iterator[Seeker]:
        """One more, until the end of this."""
        seeker = Seeker(wanted)
        self._seekers.setdefault(wanted.set_up, []).append(seeker)
        try:
            yield seeker
        finally:
            self._forget(seeker)

    def ahead_of(self, seeker: Seeker) -> int:
        """How many of the same set-up came before this one, and still wait."""
        seekers = self._seekers.get(seeker.wanted.set_up, [])
        return sum(each.waits for each in seekers[: seekers.index(seeker)])

    def first_for(self, conversation: Conversation) -> Seeker | None:
        """The first one that this process suits."""
        if conversation.held.set_up is None:
            return None
        seekers = self._seekers.get(conversation.held.set_up, ())
        return next((each for each in seekers if each.takes(conversation)), None)

    def _forget(self, seeker: Seeker) -> None:
        seekers = self._seekers.get(seeker.wanted.set_up, [])
        if seeker in seekers:
            seekers.remove(seeker)
        if not seekers:
            self._seekers.pop(seeker.wanted.set_up, None)
