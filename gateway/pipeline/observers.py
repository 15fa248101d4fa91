"""Calling the observers of one answer; one that fails harms nothing else."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

from gateway.context import StreamObserver

log = logging.getLogger("gateway.observers")

OPTIONAL: Final = ("on_event", "on_cost")
"""Methods that an observer may leave out."""


class Observers:
    """The observers of one answer. Refers to nothing else: costs may come after the answer."""

    def __init__(self, observers: Iterable[StreamObserver]) -> None:
        every = tuple(observers)
        self._telling: dict[str, Sequence[StreamObserver]] = {"on_end": every}
        for method in OPTIONAL:
            self._telling[method] = tuple(each for each in every if hasattr(each, method))

    @property
    def want_events(self) -> bool:
        """Whether any observer has `on_event`."""
        return bool(self._telling["on_event"])

    def tell(self, method: str, value: Any) -> None:  # noqa: ANN401
        """Call a method of all that have it. Never raises; an observer that does is dropped."""
        for observer in self._telling[method]:  # replaced below, never changed
            try:
                getattr(observer, method)(value)
            except Exception:
                log.exception("an observer failed in %s and was removed", method)
                self._telling = {
                    name: tuple(other for other in others if other is not observer)
                    for name, others in self._telling.items()
                }

    def tell_cost(self, usd: float) -> None:
        """Report the answer's cost, or a part of it."""
        self.tell("on_cost", usd)
