"""What the operating system is asked for, for the gateway and the processes that it starts."""

import contextlib
import gc
import logging
import resource
from typing import Final

log = logging.getLogger("gateway")

FILES_BESIDES: Final = 512
"""Open files that are no connections of clients: pipes of processes, listeners, the log."""
FILES_AT_START: Final = 24
"""Those that a gateway without processes has open; 19 were seen on Linux."""


def no_core_dumps() -> None:
    """A dump of the memory would put prompts and keys on the disk. Child processes inherit it."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def leave_out_of_collections() -> None:
    """Keep the garbage collector from scanning what exists now, which stays anyway.

    A scan of it takes 30 ms and more, in which nobody is served.
    """
    gc.collect()
    gc.freeze()


KEPT_BACK: Final = 4
"""One in so many of the open files that are left, where there are too few; and at least as many.

For what the gateway opens itself, and to refuse connections properly."""


def allow_open_files(connections: int) -> int:
    """Have room for so many connections, as far as the system lets us; warn if it does not.

    Returns how many connections there is room for.
    """
    wanted = connections + FILES_BESIDES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    got, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if got >= wanted:
        return connections
    left = got - FILES_AT_START
    room = max(1, min(connections, left - max(left // KEPT_BACK, KEPT_BACK)))
    log.warning(
        "the limit of %s open files is too low for %s connections (limits.connections); accepting "
        "%s; raise it with `ulimit -n`",
        got,
        connections,
        room,
    )
    return room
