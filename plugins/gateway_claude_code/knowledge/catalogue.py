"""Asking the installed CLI for its models: once for each program and login, in the background."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

import anyio

from gateway.errors import GatewayError
from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.knowledge.remembered_models import RememberedModels
from gateway_claude_code.process.launch import Program

log = logging.getLogger("gateway_claude_code")

AskModels: TypeAlias = Callable[[], Awaitable[Sequence[AskedModel]]]

AGAIN_SECONDS: Final = 60
"""After how long a CLI that did not say which models it has is asked again."""
WAIT_SECONDS: Final = 5
"""How long a request waits for the list; then the documentation has to do."""


class ModelCatalogue:
    """Keeps `known` in step with the CLI that is installed. Works while `tend` runs."""

    def __init__(self, known: KnownModels, remembered: RememberedModels, ask: AskModels) -> None:
        self._known = known
        self._remembered = remembered
        self._ask = ask
        self._current: tuple[Program, str] | None = None
        self._news = anyio.Event()
        self._up_to_date = anyio.Event()
        self._tended = False

    @classmethod
    def of_user(
        cls, environ: Mapping[str, str], known: KnownModels, ask: AskModels
    ) -> "ModelCatalogue":
        """One that remembers the answers in a file of the user's."""
        return cls(known, RememberedModels.of_user(environ), ask)

    def notice(self, program: Program, login: str | None = None) -> None:
        """This CLI answers now, with this login; without one, it is that of the CLI before."""
        if login is None:
            if self._current is None:
                return  # it will be noticed again, with its login
            login = self._current[1]
        if self._current != (program, login):
            self._current = (program, login)
            before, self._up_to_date = self._up_to_date, anyio.Event()
            before.set()
            self._news.set()

    def nobody_to_ask(self) -> None:
        """No CLI that could be asked was found: the documentation has to do."""
        self._up_to_date.set()

    async def ready(self) -> None:
        """Wait until the CLI that was noticed last has said what it has, within limits."""
        with anyio.move_on_after(WAIT_SECONDS):
            while self._tended and not self._up_to_date.is_set():
                await self._up_to_date.wait()

    async def tend(self) -> None:
        """Ask each CLI that is noticed."""
        self._tended = True
        try:
            pause = math.inf
            while True:
                with anyio.move_on_after(pause):
                    await self._news.wait()
                self._news = anyio.Event()
                if self._current is not None:
                    pause = math.inf if await self._look_up(*self._current) else AGAIN_SECONDS
        finally:
            self._tended = False

    async def _look_up(self, program: Program, login: str) -> bool:
        """Whether the CLI has said what it has."""
        done = self._up_to_date
        try:
            models = self._remembered.recall(program, login)
            if models is None:
                models = [*await self._ask()]
                self._remembered.keep(program, login, models)
            self._known.asked(models)
        except (GatewayError, OSError) as error:
            log.warning("the CLI does not list its models: %s", error)
            return False
        finally:
            done.set()
        return True
