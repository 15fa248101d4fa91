"""A plugin for the gateway that is measured: a closer look at its loop, at `GET /stall`.

The answer has the longest stall since it was asked last, `stall`, and the most processor time that
the gateway used in one of them, `work`: other programs can't add to the latter.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from fastapi import APIRouter

from gateway import hookimpl
from gateway.load.loop_watch import LoopWatch

EVERY_SECONDS = 0.002

_watch = LoopWatch(every=EVERY_SECONDS)
_work = {"longest": 0.0}


@hookimpl
def gateway_register_routes(router: APIRouter) -> None:
    """`GET /stall`."""

    @router.get("/stall")
    async def stall() -> dict[str, float]:
        seen = {"stall": _watch.longest, "work": _work["longest"]}
        _watch.longest = _work["longest"] = 0.0
        return seen


@hookimpl
@asynccontextmanager
async def gateway_lifespan() -> AsyncGenerator[None]:
    """Watch for as long as the gateway serves."""
    task = asyncio.create_task(_note_work())
    async with _watch.running():
        yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _note_work() -> None:
    while True:
        used = time.process_time()
        await asyncio.sleep(EVERY_SECONDS)
        _work["longest"] = max(_work["longest"], time.process_time() - used)
