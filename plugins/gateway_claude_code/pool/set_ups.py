"""The set-ups in use: those for which a process is kept ready, with an empty conversation. Pure but
for the clock."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway_claude_code.conversations.warming import Recipe
from gateway_claude_code.reuse.set_up import SetUp, Wanted

IN_USE_SECONDS: Final = 120
"""For how long a new conversation counts as a sign that there will be more like it."""
ENOUGH: Final = 2
"""The conversations within that time that make it worth a process."""


@dataclass(slots=True)
class _Use:
    began: deque[float] = field(default_factory=lambda: deque(maxlen=ENOUGH))
    recipe: Recipe | None = None


class SetUps:
    """Notes the conversations that begin, and says which set-ups want a process; `most` of these.

    None where processes wait for less than `IN_USE_SECONDS` (`keep_alive`): they would be started
    again and again.
    """

    def __init__(
        self, most: int, keep_alive: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most if keep_alive >= IN_USE_SECONDS else 0
        self._now = now
        self._uses: OrderedDict[SetUp, _Use] = OrderedDict()

    def note(self, wanted: Wanted, recipe: Callable[[], Recipe]) -> None:
        """A conversation begins; the recipe is asked for once there are enough of them."""
        if not self._most:
            return
        use = self._uses.setdefault(wanted.set_up, _Use())
        self._uses.move_to_end(wanted.set_up)
        use.began.append(self._now())
        if len(use.began) == ENOUGH and (
            use.recipe is None or use.recipe.opening != wanted.opening
        ):
            use.recipe = recipe()
        while len(self._uses) > self._most:
            self._uses.popitem(last=False)

    def forget(self, caller: str) -> None:
        """No process of this caller is wanted any more."""
        for set_up in [each for each in self._uses if each.caller == caller]:
            del self._uses[set_up]

    def in_use(self) -> list[tuple[SetUp, Recipe]]:
        """Those that want a process, the last used first."""
        since = self._now() - IN_USE_SECONDS
        for set_up in [each for each, use in self._uses.items() if use.began[-1] < since]:
            del self._uses[set_up]
        return [
            (set_up, use.recipe)
            for set_up, use in reversed(self._uses.items())
            if use.recipe is not None and use.began[0] >= since
        ]
