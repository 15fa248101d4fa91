"""A client whose set-up is known: it begins anew, goes on, asks again, edits, and forks."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench import cases
from bench.cases import Body
from bench.compare import PAUSE, WARM_SECONDS, Comparison, answer_of, rotated
from bench.contenders import Asked
from bench.pipe import Pipe

Ask = Callable[[Body, int], Asked]
"""Asks with a body of which so many user messages were there before, the rest is new."""

NEW: Final = "new, known set-up"
CONTINUED: Final = "continued, known set-up"
REGENERATE: Final = "regenerate"
EDIT_LAST: Final = "edit of the last"
EDIT_EARLIER: Final = "edit of an earlier"
FORK: Final = "fork"
BOTH: Final = "both forks go on"
CASES: Final = (NEW, CONTINUED, REGENERATE, EDIT_LAST, EDIT_EARLIER, FORK, BOTH)


def run(comparison: Comparison, tries: int) -> None:
    """All cases, by all contenders, `tries` times."""
    for number in range(tries):
        print(f"  try {number + 1} of {tries}", flush=True)
        for who in rotated(["gateway", "floor", "spawned", "proxy"], number):
            with comparison.noted(f"going back, {who}"):
                _one(comparison, who)
            comparison.until_quiet(warm=0)


def _one(comparison: Comparison, who: str) -> None:
    if who == "floor":
        _over_a_pipe(comparison)
    elif who == "gateway":
        _Client(comparison, who, lambda b, _: comparison.ask_gateway(b)).run()
    elif who == "spawned":
        _Client(comparison, who, lambda b, _: comparison.spawn(b)).run()
    elif comparison.proxy is not None:
        _Client(comparison, who, lambda b, _: comparison.ask_proxy(b)).run()


def _over_a_pipe(comparison: Comparison) -> None:
    """With one process, so that two forks can't both go on."""
    pipe = Pipe(comparison.launch)
    try:
        time.sleep(WARM_SECONDS)
        _Client(comparison, "floor", pipe.ask).run(both=False)
    finally:
        pipe.close()


@dataclass(frozen=True, slots=True)
class _Client:
    comparison: Comparison
    who: str
    ask: Ask

    def run(self, *, both: bool = True) -> None:
        """Each case once; the first two requests make the set-up known, as one may be a chance."""
        for _ in range(2):
            self._say("", None, 0)
        first = self._say(NEW, None, 0)
        second = self._say(CONTINUED, first, 1)
        third = self._say("", second, 2)
        again = third["messages"][:-1]
        self._ask(REGENERATE, {**third, "messages": again}, 2)
        self._say(EDIT_LAST, second, 2)
        edited = self._say(EDIT_EARLIER, first, 1)
        one = self._say("", edited, 2)
        other = self._say(FORK, edited, 2)
        if both:
            self._say(BOTH, one, 3)
            self._say(BOTH, other, 3)

    def _say(self, case: str, before: Body | None, kept: int) -> Body:
        """A new user message after a conversation, or as the first; the body with its answer."""
        sign = cases.mark()
        body = cases.set_up(sign) if before is None else before
        if before is not None:
            said = cases.user(f"{sign} And if that does not help?")
            body = {**before, "messages": [*before["messages"], said]}
        return self._ask(case, body, kept)

    def _ask(self, case: str, body: Body, kept: int) -> Body:
        if self.who == "gateway":
            self.comparison.until_quiet()
        else:
            time.sleep(PAUSE)
        asked = self.ask(body, kept)
        if case:
            sign = body["messages"][-1]["content"].partition(" ")[0]
            self.comparison.keep(self.who, case, sign, asked)
        return {**body, "messages": [*body["messages"], asked.message or answer_of("")]}
