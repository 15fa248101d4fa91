"""Whether the gateway itself can't keep up, so that new requests have to be refused. Pure.

How much work a request is can't be known beforehand, and most of those in progress only wait for
a model. So the sign is the event loop: it stays late, not only once, and the gateway's own work is
the reason, not that of other programs on the machine. Then all new requests are refused until it
is in time again, which takes tenths of a second: so there is always work, and never a long queue
of it. (The idea is CoDel's, RFC 8289: a queue that stands for too long, not one that is long once.)
"""

from typing import Final

LATE_SECONDS: Final = 0.03
"""By so much the loop is late. Each request takes several of its rounds."""
BUSY_SHARE: Final = 0.7
"""The share of a processor that the gateway has meanwhile; less means that it has to wait for one."""
LOOKS: Final = 2
"""So many looks at the loop in a row, 50 ms and more apart, have to find it so."""
FEW: Final = 32
"""Requests in progress with which none is refused."""
MANY: Final = 128
"""Requests in progress beyond which a busy look is enough: they are some tenths of a second of work."""


class Saturation:
    """Decides which requests are refused."""

    def __init__(self) -> None:
        self._looks = 0
        self._busy = False
        self.refused = 0
        """Requests, since the start."""

    def note(self, late: float, busy: float) -> None:
        """By how many seconds the loop was late just now, and the share of a processor it had."""
        self._busy = busy > BUSY_SHARE
        self._looks = self._looks + 1 if late > LATE_SECONDS and self._busy else 0

    def refuses(self, active: int) -> bool:
        """Whether a new request is refused while so many are in progress."""
        late = self._looks >= LOOKS
        return active >= FEW and (late or (self._busy and active >= MANY))

    def report(self) -> dict[str, int]:
        """For `GET /health`: nothing while none was refused."""
        return {"refused": self.refused} if self.refused else {}
