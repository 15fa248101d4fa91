"""What the operating system is asked for, for the gateway and the processes that it starts."""

import contextlib
import gc
import logging
import resource

log = logging.getLogger("gateway")

FILES_BESIDES: int = 512
"""Open files that are no connections of clients: pipes of processes, listeners, the log."""


def no_core_dumps() -> None:
    """A dump of the memory would put prompts and keys on the disk. Child processes inherit it."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def leave_out_of_collections() -> None:
    """Have the garbage collector pass over all that there is now, which stays anyway.

    Going through it takes 30 ms and more, in which nobody is served.
    """
    gc.collect()
    gc.freeze()


def allow_open_files(connections: int) -> None:
    """Have room for so many connections, as far as the system lets us; warn if it does not."""
    wanted = connections + FILES_BESIDES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    got, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if got < wanted:
        log.warning(
            "the system allows %s open files, which is too few for %s connections "
            "(limits.connections); `ulimit -n` changes that",
            got,
            connections,
        )
