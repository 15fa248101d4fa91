"""How many calls each backend answers at the same time.

One that starts processes has a limit and a queue of its own (`CallsInFlight.self_limiting`). For
the others nothing else says that there are enough: each answer costs little until there are
thousands, which share one event loop.
"""

from collections import Counter
from typing import Final

from gateway.context import AnswerGroup, Outcome, RequestContext
from gateway.errors import GatewayBusy

RETRY_AFTER: Final = 1
"""Seconds. Nobody knows when an answer ends; they come and go quickly."""


class CallsInFlight:
    """The calls that are being answered, by backend. A call for several answers (`n`) is one.

    So one that has begun is never refused its further answers. `self_limiting` are the backends
    that are left alone; a plugin adds its own there, no later than in `gateway_lifespan`.
    """

    def __init__(self) -> None:
        self.self_limiting: set[str] = set()
        self._answers: dict[str, Counter[AnswerGroup]] = {}

    def enter(self, ctx: RequestContext, most: int) -> "Place | None":
        """An answer begins. Raises `GatewayBusy` if its call would be one too many.

        What it returns has to be told of the answer's end, as an observer is.
        """
        if ctx.target is None or ctx.target.backend in self.self_limiting:
            return None
        answers = self._answers.setdefault(ctx.target.backend, Counter())
        if ctx.group not in answers and len(answers) >= most:
            raise GatewayBusy(
                f"The backend {ctx.target.backend!r} is already answering {most} calls "
                "(limits.calls). Try again in a moment.",
                retry_after=RETRY_AFTER,
            )
        answers[ctx.group] += 1
        return Place(answers, ctx.group)


class Place:
    """Of one answer."""

    def __init__(self, answers: "Counter[AnswerGroup]", group: AnswerGroup) -> None:
        self._answers = answers
        self._group = group

    def leave(self) -> None:
        """The answer is over, or never began; once."""
        self._answers[self._group] -= 1
        if not self._answers[self._group]:
            del self._answers[self._group]

    def on_end(self, _: Outcome) -> None:
        """As an observer."""
        self.leave()
