"""What happens to the CLI's processes, and to its program, while clients ask."""

import asyncio
import os
import random
import signal
import time
from typing import Any, Final

import httpx

from tests.chaos.clients.client import new_secret
from tests.chaos.running import Gateway
from tests.chaos.scene import Scene

NOTICED_SECONDS: Final = 2
"""In which the gateway has to know of the end of a process that waits."""
SLACK_SECONDS: Final = 3
"""What a look at the gateway may take besides, on a machine at load."""
RECOVERY_SECONDS: Final = 30
"""From when the CLI starts again to an answer, after a short outage."""


async def hit_now_and_then(scene: Scene, every: float, *, stop: float = 0) -> None:
    """Kill one of the CLI's processes now and then, or stop it with such a likelihood."""
    dice = scene.dice("trouble")
    while True:
        await asyncio.sleep(dice.uniform(0.5 * every, 1.5 * every))
        number = signal.SIGSTOP if dice.random() < stop else signal.SIGKILL
        if victims := scene.gateway.clis():
            _signal(dice.choice(victims), number)
            scene.report.killed += 1


async def kill_what_waits(scene: Scene) -> None:
    """Have conversations whose process dies between two turns, and go on with each."""

    async def act(http: httpx.AsyncClient, dice: random.Random) -> None:
        client = scene.client(dice)
        messages: list[dict[str, Any]] = []
        for _ in range(2):
            secret = new_secret(dice)
            messages.append({"role": "user", "content": f"secret-{secret} wish-none"})
            answer = await client.ask(http, messages, secret)
            if answer is None:
                return
            messages.append(answer)
            await _kill_all(scene)

    await scene.crowd(1, act)


async def _kill_all(scene: Scene) -> None:
    for pid in scene.gateway.clis():
        _signal(pid, signal.SIGKILL)
        scene.report.killed += 1
    killed = time.monotonic()
    while (await asyncio.to_thread(scene.gateway.counts))["live"]:
        if time.monotonic() - killed > NOTICED_SECONDS + SLACK_SECONDS:
            scene.report.wrong.append("a live conversation is kept whose process is dead")
            return
        await asyncio.sleep(0.1)


async def without_cli(scene: Scene, seconds: float) -> None:
    """The CLI's program is away for so long, and then there again.

    Meanwhile requests fail at once, and from then on none does.
    """
    cli = scene.gateway.cli
    away = cli.rename(cli.with_name("claude.away"))
    dice = scene.dice("asker")
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            asked = time.monotonic()
            await _ask_once(scene, dice, {"503 backend_unavailable"})
            if time.monotonic() - asked > SLACK_SECONDS:
                scene.report.wrong.append("a request without a CLI did not fail at once")
            await _readiness(scene, ready=False)
            await asyncio.sleep(seconds / max(1, scene.goal // 2))
    finally:
        away.rename(cli)
    await _ask_once(scene, dice, set())
    await _readiness(scene, ready=True)
    await scene.conversations(2)


async def too_slow(scene: Scene, seconds: tuple[float, float]) -> None:
    """The CLI takes longer to start than it may, and then is as quick as ever."""
    scene.gateway.plan(slow=seconds, seed=scene.seed)
    failing = Scene(
        gateway=scene.gateway, report=scene.report, seed=scene.seed, goal=scene.goal // 2,
        ends=frozenset({"504 timeout", "503 backend_unavailable"}),
    )  # fmt: skip
    await failing.conversations(3)
    scene.gateway.plan(seed=scene.seed)
    dice = scene.dice("asker")
    end = time.monotonic() + RECOVERY_SECONDS
    before = scene.report.answers
    while scene.report.answers == before and time.monotonic() < end:
        await _ask_once(scene, dice, {"504 timeout", "503 backend_unavailable"})
        await asyncio.sleep(1)
    await scene.conversations(3)


async def _ask_once(scene: Scene, dice: random.Random, ends: set[str]) -> None:
    secret = new_secret(dice)
    message = {"role": "user", "content": f"secret-{secret} wish-none"}
    async with httpx.AsyncClient() as http:
        await scene.client(dice, ends=ends).ask(http, [message], secret)


async def _readiness(scene: Scene, *, ready: bool) -> None:
    """`/readyz` says how it is."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{scene.gateway.url}/readyz", timeout=30)
    if answer.is_success is not ready:
        scene.report.wrong.append(
            f"/readyz says {answer.status_code} {answer.text}, ready: {ready}"
        )


async def room_again(scene: Scene) -> None:
    """A full disk, and in the middle of it there is room again."""
    half = Scene(
        gateway=scene.gateway, report=scene.report, seed=f"{scene.seed}/full", goal=scene.goal // 2,
        ends=scene.ends,
    )  # fmt: skip
    await half.conversations(3)
    scene.gateway.give_room()
    await scene.conversations(3)


class Highest:
    """The most memory that a gateway was seen with, in MB."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.memory = 0.0

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            held = await asyncio.to_thread(self._gateway.holds)
            self.memory = max(self.memory, held.memory)
            await asyncio.sleep(0.5)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
