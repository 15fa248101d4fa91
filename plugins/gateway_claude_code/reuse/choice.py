"""The choice of an idle process for a conversation that none waits for. Pure.

In this order: the process that holds most of the conversation; an empty one; the least recently used
one whose own conversation is hardly going on. What is cut is not lost, it only has to be given again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from gateway_claude_code.reuse.held import Held
from gateway_claude_code.reuse.set_up import Wanted

WARM_SECONDS: Final = 60
"""How long a conversation is left alone: people who chat answer within a minute, and most programs
at once."""
RECENT: Final = 1
"""How many of a set-up's latest conversations are left alone, however short. With more, programs that
ask one thing after another go round more processes, each of them colder: one that has asked before
is twice as fast as one that was only led through a first turn (2.1.330: 38 and 70-80 ms)."""
LATEST: Final = 8
"""The same for longer conversations."""
WORTH_KEEPING: Final = 2
"""Turns. Less of a conversation is given again as quickly as another process is cut."""
BRIEF: Final = 8
"""Turns. They are given again in a tenth of the time that a process takes to start."""
MOST_LOST: Final = 4
"""How many turns may be cut for each that is kept, of a conversation that may go on: after an edit it
does not, after a fork it does."""


class Idle(Protocol):
    """A process as far as it matters here."""

    @property
    def held(self) -> Held:
        """What it holds, and for whom."""
        ...

    @property
    def empty(self) -> bool:
        """Whether it holds no conversation, or soon will not."""
        ...

    @property
    def parked(self) -> bool:
        """Whether it waits for the results of calls."""
        ...


P = TypeVar("P", bound=Idle)


@dataclass(frozen=True, slots=True)
class Waiting(Generic[P]):
    """An idle process, for `seconds` by now."""

    process: P
    seconds: float


def choose(idle: Sequence[Waiting[P]], wanted: Wanted, *, urgent: bool = False) -> P | None:
    """The best of these, which are the least recently used first; None if none had better be cut.

    With `urgent` none is left alone, as otherwise one would have to be ended for the request.
    """
    fitting = [waiting for waiting in idle if waiting.process.held.set_up == wanted.set_up]
    free = fitting if urgent else [waiting for waiting in fitting if not _is_busy(waiting)]
    if (best := _longest(free, wanted)) is not None:
        return best
    usable = [waiting.process for waiting in free if _can_open(waiting.process, wanted)]
    empty = [process for process in usable if process.empty]
    alike = [process for process in empty if process.held.opening == wanted.opening]
    left = usable if urgent else [waiting.process for waiting in cuttable(fitting)]
    left = [process for process in left if _can_open(process, wanted)]
    for found in (alike, empty):
        if found:
            return found[-1]  # warm, so that those that are not needed get old
    return left[0] if left else None


def cuttable(idle: Sequence[Waiting[P]]) -> list[Waiting[P]]:
    """Those of one set-up whose conversations are hardly going on, the least recently used first."""
    talks = [waiting for waiting in idle if not waiting.process.empty]
    return [
        waiting
        for number, waiting in enumerate(talks)
        if not _is_busy(waiting)
        and (waiting.seconds >= WARM_SECONDS or len(talks) - number > _left_alone(waiting.process))
    ]


def _left_alone(process: Idle) -> int:
    """How many of the latest conversations of this length are left alone."""
    return RECENT if len(process.held) <= WORTH_KEEPING else LATEST


def is_brief(process: Idle) -> bool:
    """Whether little is lost if another conversation gets this process rather than a new one."""
    return not process.parked and len(process.held) <= BRIEF


def _is_busy(waiting: Waiting[P]) -> bool:
    """A program is at work on the calls, and will be back: cut, the model's thinking is lost."""
    return waiting.process.parked and waiting.seconds < WARM_SECONDS


def _longest(idle: Sequence[Waiting[P]], wanted: Wanted) -> P | None:
    reached = [
        (kept, -lost, number)
        for number, waiting in enumerate(idle)
        if waiting.process.held.opening == wanted.opening
        and (kept := waiting.process.held.reach(wanted.prefixes)) >= WORTH_KEEPING
        and _is_fair(waiting, kept, lost := len(waiting.process.held) - kept)
    ]
    return idle[max(reached)[2]].process if reached else None


def _is_fair(waiting: Waiting[P], kept: int, lost: int) -> bool:
    """Not if the conversation that would be cut may go on, and much more of it would be lost."""
    return lost <= MOST_LOST * kept or waiting.seconds >= WARM_SECONDS


def _can_open(process: Idle, wanted: Wanted) -> bool:
    return wanted.may_exchange_tools or process.held.opening == wanted.opening
