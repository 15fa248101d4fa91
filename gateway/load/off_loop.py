"""Work on large data outside of the event loop, so that everybody else is served meanwhile.

It runs in a thread, one piece of work at a time. Python's own steps then give way every few
milliseconds; a single call into C does not, and has to be short by itself.
"""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import anyio
from anyio.lowlevel import RunVar

P = ParamSpec("P")
T = TypeVar("T")

LARGE_BYTES: Final = 32 * 1024
"""Of a request body: up to this, all that is done with it takes a few milliseconds."""

_limiter: Final = RunVar[anyio.CapacityLimiter]("off_loop")


async def off_loop(size: int, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """The function's result; in a thread, if data of `size` bytes is large."""
    if size <= LARGE_BYTES:
        return function(*args, **options)
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(1)  # more would only take the processor from each other
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(lambda: function(*args, **options), limiter=limiter)
