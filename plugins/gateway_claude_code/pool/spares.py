"""Processes that were started ahead of their request, and how many of them there should be. Pure
but for the clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.process.launch import Launch

DEMAND_SECONDS = 120
"""For how long a request counts as a sign that there will be more like it."""


@dataclass(frozen=True, slots=True)
class _Spare:
    conversation: Conversation
    born: float


@dataclass(slots=True)
class _Kind:
    wanted: int
    used: float
    spares: list[_Spare] = field(default_factory=list)


class Spares:
    """Spares by how they were started. `at_least` of the kind `usual` are always wanted."""

    def __init__(
        self,
        at_least: int,
        at_most: int,
        oldest: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_least = min(at_least, at_most)
        self._at_most = at_most
        self._oldest = oldest
        self._now = now
        self._kinds: dict[Launch, _Kind] = {}
        self._usual: Launch | None = None

    @property
    def usual(self) -> Launch | None:
        """The kind of which there is always a spare."""
        return self._usual

    def __len__(self) -> int:
        return sum(len(kind.spares) for kind in self._kinds.values())

    def expect(self, launch: Launch) -> None:
        """Make this the kind of which there is always a spare."""
        self._usual = launch
        kind = self._kinds.setdefault(launch, _Kind(0, self._now()))
        kind.wanted = max(kind.wanted, self._at_least)

    def take(self, launch: Launch) -> Conversation | None:
        """A living spare of this kind, the oldest first; there being none makes more wanted."""
        kind = self._kinds.setdefault(launch, _Kind(0, self._now()))
        kind.used = self._now()
        for number, spare in enumerate(kind.spares):
            if spare.conversation.alive:  # dead ones stay, to be closed
                del kind.spares[number]
                kind.wanted = max(kind.wanted, 1)
                return spare.conversation
        kind.wanted = min(kind.wanted + 1, self._at_most)
        return None

    def take_ready(self, launch: Launch) -> Conversation | None:
        """A spare of this kind that has started, the oldest first; no more are wanted for it."""
        kind = self._kinds.get(launch)
        for number, spare in enumerate(kind.spares if kind is not None else ()):
            if kind is not None and spare.conversation.alive and not spare.conversation.starting:
                del kind.spares[number]
                return spare.conversation
        return None

    def add(self, launch: Launch, conversation: Conversation) -> None:
        """A new one."""
        kind = self._kinds.setdefault(launch, _Kind(0, self._now()))
        conversation.become_spare()
        kind.spares.append(_Spare(conversation, self._now()))

    def remove(self, conversation: Conversation) -> bool:
        """Take this one out; whether it was still there."""
        for kind in self._kinds.values():
            for number, spare in enumerate(kind.spares):
                if spare.conversation is conversation:
                    del kind.spares[number]
                    return True
        return False

    def missing(self) -> Launch | None:
        """The kind of which one more should be started now, if any; the last used first."""
        if len(self) >= self._at_most:
            return None
        short = [
            (kind.used, launch)
            for launch, kind in self._kinds.items()
            if len(kind.spares) < kind.wanted
        ]
        return max(short, key=lambda item: item[0])[1] if short else None

    def take_any(self) -> Conversation | None:
        """One to be closed in favour of something else: of the kind that was used least lately."""
        kinds = sorted(self._kinds.values(), key=lambda kind: kind.used)
        for kind in kinds:
            if kind.spares:
                return kind.spares.pop(0).conversation
        return None

    def take_useless(self) -> list[Conversation]:
        """Those that are dead, too old, or no longer wanted; they have to be closed.

        What dies as it starts is left to the one who waits for it to get ready.
        """
        now = self._now()
        useless: list[Conversation] = []
        for launch, kind in list(self._kinds.items()):
            if now - kind.used > DEMAND_SECONDS:
                kind.wanted = self._at_least if launch == self._usual else 0
            kept = [
                spare
                for spare in kind.spares
                if (spare.conversation.alive or spare.conversation.starting)
                and now - spare.born < self._oldest
            ][: kind.wanted]
            useless += [spare.conversation for spare in kind.spares if spare not in kept]
            kind.spares = kept
            if not kept and not kind.wanted:
                del self._kinds[launch]
        return useless

    def forget_other_programs(self, launch: Launch) -> list[Conversation]:
        """All spares of another program, or of the same before it was replaced on disk."""
        current = (launch.program, launch.stamp)
        given_up: list[Conversation] = []
        for other in [kind for kind in self._kinds if (kind.program, kind.stamp) != current]:
            given_up += [spare.conversation for spare in self._kinds.pop(other).spares]
            if other == self._usual:
                renewed = replace(other, program=launch.program, stamp=launch.stamp)
                self.expect(launch if launch == renewed else renewed)
        return given_up

    def take_all(self) -> list[Conversation]:
        """Every one, to be closed; none is wanted any more."""
        taken = [spare.conversation for kind in self._kinds.values() for spare in kind.spares]
        self._kinds.clear()
        self._usual = None
        return taken
