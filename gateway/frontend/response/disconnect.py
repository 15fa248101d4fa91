"""Stopping work when the client has gone."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from gateway.frontend.response.live_response import wait_for_disconnect
from gateway.task_groups import raising_plainly

T = TypeVar("T")


async def unless_disconnected(receive: Receive, work: Callable[[], Awaitable[T]]) -> T:
    """Do `work` in this task; cancel it and raise `ClientDisconnect` if the client goes first."""
    done: list[T] = []
    with raising_plainly():
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                await wait_for_disconnect(receive)
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            done.append(await work())
            tasks.cancel_scope.cancel()
    if not done:
        raise ClientDisconnect
    return done[0]
