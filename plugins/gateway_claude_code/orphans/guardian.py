"""Ends the CLI's processes when the gateway is gone without having done so. A program of its own.

A CLI that is at work goes on to the end of its turn when its pipes are closed, and so would survive
a gateway that was killed. This program is told on its standard input which processes there are
(`+PID` and `-PID`, a line each), and at the end of it ends what is left. It imports nothing of the
gateway's: it is started as `python -I -S guardian.py`, and takes few megabytes.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 2.0
"""Between SIGTERM, after which the CLI leaves nothing on disk, and SIGKILL. Counted in pauses: on a busy
machine each is longer for this program, and the CLI gets the processor late as well."""
POLL_SECONDS = 0.05


def main() -> None:
    """Listen until the gateway is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the gateway, and not before
    left: set[int] = set()
    for line in sys.stdin:
        pid = int(line[1:])
        (left.add if line[0] == "+" else left.discard)(pid)
    end_groups(left)


def end_groups(pids: Iterable[int]) -> None:
    """End process groups, by the ids of their leaders: SIGTERM, and SIGKILL if that is not enough."""
    left = {pid for pid in pids if _signalled(pid, signal.SIGTERM)}
    for _ in range(round(GRACE_SECONDS / POLL_SECONDS)):
        if not left:
            break
        time.sleep(POLL_SECONDS)
        left = {pid for pid in left if _signalled(pid, 0)}
    for pid in left:
        _signalled(pid, signal.SIGKILL)


def _signalled(pid: int, number: int) -> bool:
    """Whether the group was there. A leader of its own session is one of ours, not a newcomer."""
    with contextlib.suppress(OSError):
        if os.getsid(pid) == pid:
            os.killpg(pid, number)
            return True
    return False


if __name__ == "__main__":
    main()
