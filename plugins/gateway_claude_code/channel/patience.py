"""How long a CLI process may take to get ready, and to answer a control line afterwards."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import anyio

from gateway_claude_code.process.starts import Start
from gateway_claude_code.response.failures import NotReady

WARM_SECONDS: Final = 5
"""How long one may take to answer a control line that has answered before, or had time to start."""


class Patience:
    """The limit of a process that is born now. `ready` is whether it has answered."""

    def __init__(self, start_seconds: float) -> None:
        self._start_seconds = start_seconds
        self._born = time.monotonic()
        self.ready = False

    def note_ready(self, start: Start | None = None) -> None:
        """It has answered for the first time, or again; its start is over."""
        self.ready = True
        if start is not None:
            start.ready()

    @contextmanager
    def limit(self, *, warm: bool) -> Iterator[None]:
        """Raises `NotReady` when it takes too long; `warm` is one that needs no start any more."""
        try:
            with anyio.fail_after(self._seconds(warm=warm)):
                yield
        except TimeoutError as error:
            raise self.not_ready(warm=warm) from error

    def not_ready(self, *, warm: bool = False) -> NotReady:
        """The error for one that took too long."""
        seconds = self._seconds(warm=warm) if self.ready else self._start_seconds
        return NotReady(
            f"the Claude Code CLI did not get ready within {seconds:g} s "
            "(plugins.claude_code.start_seconds)"
        )

    def _seconds(self, *, warm: bool) -> float:
        """The rest of the time to start, and afterwards as much as is reasonable."""
        if not self.ready:
            return self._born + self._start_seconds - time.monotonic()
        return min(self._start_seconds, WARM_SECONDS) if warm else self._start_seconds
