"""What a phase works with, and how many clients act at once in it."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.chaos.clients.client import Client
from tests.chaos.report import Report
from tests.chaos.running import Gateway
from tests.chaos.upstream import FAULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A running gateway, and what one phase does to it.

    `goal` is how many requests it makes, `ends` the errors that its fault leads to. `seed` with a name
    gives the same dice each time.
    """

    gateway: Gateway
    report: Report
    seed: str
    goal: int
    ends: frozenset[str]

    def dice(self, name: object) -> random.Random:
        """Of one client, or one kind of trouble."""
        return random.Random(f"{self.seed}/{name}")

    def client(
        self,
        dice: random.Random,
        faults: float = 0,
        leaves: float = 0,
        *,
        wishes: Collection[str] = FAULTS,
        ends: Collection[str] | None = None,
    ) -> Client:
        """One that has conversations; its requests may end in `ends`, or else in the phase's."""
        return Client(
            self.gateway.chat, self.report, dice, faults=faults, leaves=leaves, wishes=wishes,
            ends=self.ends if ends is None else ends,
        )  # fmt: skip

    async def crowd(
        self, clients: int, act: Callable[[httpx.AsyncClient, random.Random], Awaitable[None]]
    ) -> None:
        """So many clients that act again and again until all requests were made."""

        async def one(number: int) -> None:
            dice = self.dice(number)
            async with httpx.AsyncClient() as http:
                while self.report.asked < self.goal:
                    await act(http, dice)

        await asyncio.gather(*(one(number) for number in range(clients)))

    async def conversations(
        self,
        clients: int = 6,
        *,
        faults: float = 0,
        leaves: float = 0,
        wishes: Collection[str] = FAULTS,
    ) -> None:
        """A crowd of clients that have conversations."""

        async def act(http: httpx.AsyncClient, dice: random.Random) -> None:
            await self.client(dice, faults, leaves, wishes=wishes).converse(http)

        await self.crowd(clients, act)


@asynccontextmanager
async def meanwhile(trouble: Awaitable[None]) -> AsyncGenerator[None]:
    """Trouble for as long as this is open."""
    task = asyncio.ensure_future(trouble)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
