"""A plugin for the gateway under test: tells what it holds, and sets its clock at random.

It is copied beside the configuration, as any user's plugin is.
"""

import asyncio
import gc
import os
import random
import re
import resource
import time
from collections import Counter
from pathlib import Path

from fastapi import APIRouter

from gateway import hookimpl

_real_time = time.time
_offset = 0.0


def _jumping() -> float:
    """Unix time on a machine whose clock is set forwards and backwards by up to a day."""
    global _offset  # noqa: PLW0603 - the clock is one
    if os.environ.get("CHAOS_CLOCK") and random.random() < 0.01:
        _offset = random.uniform(-86400, 86400)
    return _real_time() + _offset


time.time = _jumping


@hookimpl
def gateway_register_routes(router: APIRouter) -> None:
    """`GET /probe`: tasks by what they run, open files, memory in MB."""

    @router.get("/probe")
    async def probe() -> dict[str, object]:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            "tasks": Counter(_work_of(task) for task in asyncio.all_tasks()),
            "files": len(list(Path("/proc/self/fd").iterdir())),
            "open": Counter(_kind_of(each) for each in Path("/proc/self/fd").iterdir()),
            "memory": pages * resource.getpagesize() / 2**20,
        }


def _work_of(task: "asyncio.Task[object]") -> str:
    return str(getattr(task.get_coro(), "__qualname__", task.get_name()))


def _kind_of(descriptor: Path) -> str:
    try:
        return re.sub(r"\[\d+\]", "", str(descriptor.readlink()))
    except OSError:  # that of the list itself
        return "gone"
