"""Waiting for a login: the CLI is asked again and again until it has one."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Final

import anyio

from gateway.errors import GatewayError
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.login.status import Login, cli_login
from gateway_claude_code.process import command

log = logging.getLogger("gateway_claude_code")

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 8.0
"""Seconds. With what the CLI takes to answer (0.3 s), a login is noticed within ten."""
GROWTH: Final = 1.5


def pauses() -> Iterator[float]:
    """Seconds between two questions: short at first, for whoever logs in at once."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * GROWTH, LONGEST_PAUSE)


class LoginWatch:
    """Knows the CLI's login as it was last; once there is one, it is not asked any more.

    `ask` raises `GatewayError` where there is no CLI that could have one. `now` is in seconds.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[Login]], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._now = now
        self._asked_at: float | None = None
        self._asking = anyio.Lock()
        self._came = anyio.Event()
        self.login: Login | None = None

    @classmethod
    def of(cls, config: ClaudeCodeConfig, environ: Mapping[str, str]) -> "LoginWatch":
        """Of the CLI that is run with this configuration in this environment."""

        async def ask() -> Login:
            return await cli_login(command.find_cli(config, environ), config, environ)

        return cls(ask)

    @property
    def logged_in(self) -> bool:
        """Whether there was a login when the CLI was last asked."""
        return self.login is not None and self.login.logged_in

    async def look(self) -> bool:
        """Whether there is a login now.

        An answer counts for those who came before the CLI was asked: a burst asks it twice at most.
        """
        came = self._now()
        async with self._asking:
            if not self.logged_in and (self._asked_at is None or self._asked_at < came):
                await self._look()
        return self.logged_in

    async def wait(self, between: Iterable[float] | None = None) -> Login:
        """Wait until there is a login, and return it. `between` are the pauses, in seconds."""
        for pause in between or pauses():
            if await self.look():
                break
            with anyio.move_on_after(pause):
                await self._came.wait()
        assert self.login is not None  # noqa: S101 - there are pauses without end
        return self.login

    async def _look(self) -> None:
        self._asked_at = self._now()
        try:
            self.login = await self._ask()
        except GatewayError as error:
            log.debug("the CLI's login can't be checked: %s", error.message)
        if self.logged_in:
            self._came.set()
