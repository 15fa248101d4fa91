"""A long random walk: whatever happens, slots and processes agree."""

import random

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from gateway.errors import BackendUnavailable, GatewayBusy
from tests.cells import on_demand
from tests.claude_code.pool.pool_support import (
    FakeProcess,
    a_launch,
    a_pool,
    keep,
    process_of,
    quiet,
    ticks,
)

pytestmark = pytest.mark.usefixtures("at_once")


class Walk:
    """Clients that obtain, continue, fail, go away at any moment, and processes that die."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.started: list[FakeProcess] = []
        self.pool = a_pool(
            max_processes=self.chance.randint(1, 12),
            min_spares=self.chance.randint(0, 2),
            max_spares=self.chance.randint(0, 3),
            max_live=self.chance.randint(0, 3),
            max_queue=self.chance.randint(0, 6),
            keep_alive=self.chance.choice([0.001, 5]),
            queue_seconds=self.chance.choice([0.001, 0.05]),
        )
        self.kinds = [
            a_launch(model=model, stamp=(stamp, 1), started=self.started, before=self.start)
            for stamp in (1, 2)
            for model in ("opus", "haiku")
        ]

    async def start(self) -> None:
        await ticks(self.chance.randrange(4))
        if self.chance.random() < 0.1:
            raise BackendUnavailable("no such program")

    def look(self) -> None:
        """Check what must always hold, and let some processes die."""
        running = [process for process in self.started if not process.closed]
        assert len(running) <= self.pool.slots.used <= self.pool.slots.most
        assert min(self.pool.counts.values()) >= 0
        for process in running:
            if self.chance.random() >= 0.97:
                process.die()

    async def client(self, tasks: TaskGroup) -> None:
        for _ in range(60):
            self.look()
            with anyio.CancelScope() as scope:
                if self.chance.random() < 0.3:
                    tasks.start_soon(self.cancel_later, scope)
                try:
                    await self.one_request()
                except (BackendUnavailable, GatewayBusy):
                    await checkpoint()

    async def cancel_later(self, scope: anyio.CancelScope) -> None:
        await ticks(self.chance.randrange(12))
        scope.cancel()

    async def one_request(self) -> None:
        conversation = await self.pool.take_live(self.key()) or await self.pool.obtain(
            self.chance.choices(self.kinds, [20, 10, 1, 1])[0], self.chance.choice("abc")
        )
        try:
            process_of(conversation).close_ticks = self.chance.randrange(4)
            await ticks(self.chance.randrange(4))
        except BaseException:
            self.pool.retire(conversation)
            raise
        if self.chance.random() < 0.6:
            keep(self.pool, conversation, self.key())
        else:
            self.pool.retire(conversation)

    def key(self) -> bytes:
        return bytes([self.chance.randrange(8)])


@pytest.mark.parametrize("seed", [*range(6), *map(on_demand, range(6, 20))])
async def test_whatever_happens_slots_and_processes_agree(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_claude_code.pool.refill.FAILED_SECONDS", 0.001)
    walk = Walk(seed)
    pool = walk.pool
    with anyio.fail_after(30):
        async with pool.running():
            pool.expect(walk.kinds[0])
            async with anyio.create_task_group() as tasks:
                for _ in range(6):
                    tasks.start_soon(walk.client, tasks)
            await quiet()
            assert pool.counts["busy"] == pool.counts["waiting"] == 0
            assert pool.slots.used == sum(not process.closed for process in walk.started)
    assert pool.slots.used == 0
    assert walk.started
    assert all(process.closed for process in walk.started)
