"""The call of a conversation that a result answers. Pure.

Clients identify calls by ids of their own, and many reuse them (`call_0` in every answer). A position
is always unambiguous, so calls are numbered through the conversation, from 0.
"""

from collections import defaultdict


class CallNumbers:
    """Numbers the calls, and finds the one that a result answers, as the turns are read in order."""

    def __init__(self) -> None:
        self._count = 0
        self._first = 0
        self._latest: dict[str, int] = {}
        self._unanswered: defaultdict[str, list[int]] = defaultdict(list)

    def begin_turn(self) -> None:
        """The assistant's next turn begins: open calls stay without a result."""
        self._first = self._count
        self._unanswered.clear()

    def add(self, call_id: str) -> int:
        """The number of the next call."""
        number, self._count = self._count, self._count + 1
        self._latest[call_id] = number
        self._unanswered[call_id].append(number)
        return number

    def answered(self, call_id: str) -> int | None:
        """The call that the next result with this id answers; None for an unknown id.

        Results with the same id answer the calls of the last turn one after another. A further
        one is for the latest call with that id, which then has several results.
        """
        if waiting := self._unanswered.get(call_id):
            return waiting.pop(0)
        return self._latest.get(call_id)

    @property
    def open(self) -> range:
        """The calls of the assistant's last turn, which the user's next turn answers."""
        return range(self._first, self._count)
