"""Stopping work when the client has gone."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from gateway.frontend.response.companion_tasks import CompanionTasks

T = TypeVar("T")


async def unless_disconnected(receive: Receive, work: Callable[[], Awaitable[T]]) -> T:
    """Do `work` in this task; cancel it and raise `ClientDisconnect` if the client goes first."""
    with CompanionTasks(partial(wait_for_disconnect, receive)):
        return await work()
    raise ClientDisconnect


async def wait_for_disconnect(receive: Receive) -> None:
    """Return once the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
