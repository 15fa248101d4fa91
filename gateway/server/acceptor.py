"""Many new connections in one round of the event loop.

uvloop accepts one connection a round (seen with 0.23). A round takes tenths of a second when there
is too much to do, and new connections would wait for seconds before they could even be refused.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

MOST: Final = 64
"""Connections of each listener that are accepted in a round."""


class Acceptor:
    """Takes further connections from the listeners whenever there has been one."""

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        self._listeners = listeners
        self._tasks: set[asyncio.Task[Any]] = set()
        self._soon = False

    def accept_more(
        self, loop: asyncio.AbstractEventLoop, protocol: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        """Accept what waits, in the loop's next round; `protocol` makes one for a connection."""
        if not self._soon:
            self._soon = True
            loop.call_soon(self._accept, loop, protocol)

    def _accept(
        self, loop: asyncio.AbstractEventLoop, protocol: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        self._soon = False
        for listener in self._listeners:
            # nothing waits, no file is left for it, or the gateway no longer listens
            with contextlib.suppress(OSError):
                for _ in range(MOST):
                    connection, _address = listener.accept()
                    connection.setblocking(False)  # noqa: FBT003 - its only parameter
                    made = loop.create_task(loop.connect_accepted_socket(protocol, connection))
                    self._tasks.add(made)
                    made.add_done_callback(self._done)

    def _done(self, made: asyncio.Task[Any]) -> None:
        self._tasks.discard(made)
        if not made.cancelled():
            made.exception()  # the client has gone again, and nobody else is told
