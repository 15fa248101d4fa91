"""The conversation that a process holds, turn by turn, and the places to which it can be cut. Pure but for the clock.

`rewind_conversation` cuts a conversation before any user line that had a `uuid` of ours, in some
milliseconds and without a trace (seen with 2.1.330; doctor: rewind). The results of calls, which a
live process gets from its tools, are user turns without one.
"""

import time
from collections.abc import Sequence
from typing import Final

from gateway_claude_code.request.canonical import Digest
from gateway_claude_code.reuse.set_up import SetUp

MOST_CONVERSATIONS: Final = 1000
"""For one process. It grows from 161 to 278 MB over so many one-shot requests, ever more slowly (seen
with 2.1.330)."""
MOST_SECONDS: Final = 3600
"""For the life of a process that is used again. Longer lives were not tried out, and a login may
change meanwhile."""


class Held:
    """The turns of a process, in order, under digests of the conversation up to and including each.

    `whole`: all that the process holds is known, and it waits for a user line; otherwise it has to
    be cut first. `conversations` counts those that began in it, all of one `caller`. `set_up` is None for a process that
    has a single conversation; `opening` and `offer` are those of its present one (`Digests`).
    """

    def __init__(self) -> None:
        self._uuids: list[str | None] = []
        self._digests: list[Digest] = []
        self._marked: set[int] = set()
        self._born = time.monotonic()
        self.whole = True
        self.conversations = 0
        self.caller: str | None = None
        self._must_end = False
        self.set_up: SetUp | None = None
        self.opening: Digest | None = None
        self.offer: Digest | None = None

    def __len__(self) -> int:
        return len(self._uuids)

    @property
    def last_uuid(self) -> str | None:
        """The `uuid` of the newest line that has one."""
        return next((uuid for uuid in reversed(self._uuids) if uuid is not None), None)

    @property
    def last_user(self) -> int:
        """The number of the turn with the newest such line; 0 without any."""
        numbers = (i for i, uuid in enumerate(self._uuids) if uuid is not None)
        return max(numbers, default=0)

    @property
    def has_mark(self) -> bool:
        """Whether a turn has a mark of ours for the prompt cache."""
        return bool(self._marked)

    @property
    def worn(self) -> bool:
        """Whether the process has to end after its present answer."""
        age = time.monotonic() - self._born
        return (
            self._must_end
            or self.conversations >= MOST_CONVERSATIONS
            or (self.set_up is not None and age >= MOST_SECONDS)
        )

    def wear_out(self) -> None:
        """Note that the process has to end after its present answer."""
        self._must_end = True

    def belong_to(self, caller: str) -> None:
        """Note whose process this is from now on."""
        self.caller = caller

    def serve(self, set_up: SetUp) -> None:
        """Note the set-up that the process has from now on, so that others of it may use it."""
        self.set_up, self.caller = set_up, set_up.caller

    def open(self, opening: Digest, offer: Digest) -> None:
        """Note what changes in an empty conversation only, and of it the tools."""
        self.opening, self.offer = opening, offer

    def ends_with(self, digest: Digest) -> bool:
        """Whether this is the digest of all turns."""
        return len(self._digests) == len(self._uuids) and self._digests[-1:] == [digest]

    def begin(self, digests: Sequence[Digest]) -> None:
        """The turns of a request with these digests are about to be added after those it shares.

        Without digests nothing is known of the conversation; then it can only be cut as a whole.
        """
        self._digests = list(digests)
        self.whole = False

    def add(self, uuid: str | None, *, marked: bool = False) -> None:
        """A turn was written: a user line with this `uuid`, or something that has none."""
        if not self._uuids:
            self.conversations += 1
        if marked:
            self._marked.add(len(self._uuids))
        self._uuids.append(uuid)

    def confirm(self, digests: Sequence[Digest], *, parked: bool) -> bool:
        """The last answer is complete, and these are all turns; whether that is as many as here."""
        known = len(digests) == len(self._uuids) + 1 == len(self._digests) + 1
        self._digests = list(digests) if known else []
        self.add(None)
        self.whole = not parked
        return known

    def uuid_at(self, number: int) -> str | None:
        """The `uuid` of a turn, if it is a line that has one."""
        return self._uuids[number] if number < len(self._uuids) else None

    def cut(self, number: int) -> None:
        """The conversation was cut before this turn, by the process."""
        del self._uuids[number:], self._digests[number:]
        self._marked = {marked for marked in self._marked if marked < number}
        self.whole = True

    def reach(self, prefixes: Sequence[Digest]) -> int:
        """How many turns of a request can stay, if the process is cut after them if necessary.

        `prefixes` are the request's digests up to each turn, the one to be asked included.
        """
        same = sum(1 for here, there in zip(self._digests, prefixes, strict=False) if here == there)
        most = min(same, len(prefixes) - 1, len(self._uuids))
        if most == len(self._uuids) and self.whole:
            return most
        places = (i for i in range(most, -1, -1) if self.uuid_at(i) is not None)
        return next(places, 0)
