"""The faults, each in a phase with a name: what it does, and what requests may end in meanwhile."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx

from tests.chaos import trouble
from tests.chaos.clients.readers import CHARACTERS, read_slowly
from tests.chaos.clients.schemas import ask_for_json
from tests.chaos.clients.several import ask_several
from tests.chaos.running import CLAUDE_CODE
from tests.chaos.scene import Scene, meanwhile
from tests.chaos.upstream import FAULTS

Run = Callable[[Scene], Awaitable[None]]

PROCESSES: Final[int] = CLAUDE_CODE["max_processes"]
GONE: Final = "502 backend_error"
LEFT_ALONE: Final = "503 backend_unavailable"
"""Of a CLI that failed to start three times in a row, as it does when it is killed each time."""
SLOW_READERS: Final = 6
MEMORY_OF_READERS: Final = 25
"""MB that slow readers may cost together while they read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """`share` of all requests. None takes longer than `bound` seconds.

    Requests end in an answer, the error that their own wish leads to, or one of `ends`. `odds` are those
    of the wrapper's faults, and `slow` is how many seconds each start takes more.
    """

    name: str
    run: Run
    share: float
    bound: float = 60
    ends: tuple[str, ...] = ()
    odds: float = 0
    slow: tuple[float, float] | None = None


async def quiet(scene: Scene) -> None:
    """Nothing happens."""
    await scene.conversations(3)


async def upstream_fails(scene: Scene, wishes: Sequence[str] = FAULTS) -> None:
    """The API refuses, breaks off, falls silent, or takes its time."""
    await scene.conversations(faults=0.4, wishes=wishes)


async def clients_leave(scene: Scene) -> None:
    """Half of the clients go away before their answer is there."""
    await scene.conversations(leaves=0.5)


async def processes_die(scene: Scene, every: float = 1.5) -> None:
    """Somebody kills processes at any time."""
    async with meanwhile(trouble.hit_now_and_then(scene, every)):
        await scene.conversations(faults=1, wishes=("slow", "none", "tool"))


async def processes_hang(scene: Scene) -> None:
    """Somebody stops processes, which then do not even end."""
    async with meanwhile(trouble.hit_now_and_then(scene, 6, stop=1)):
        await scene.conversations()


async def everything(scene: Scene) -> None:
    """All of it at once."""
    async with meanwhile(trouble.hit_now_and_then(scene, 2.5, stop=0.2)):
        await scene.conversations(faults=0.3, leaves=0.1)


async def more_than_processes(scene: Scene, processes: int = PROCESSES) -> None:
    """Two callers whose calls want up to three times as many answers as there are processes, and one
    with plain conversations."""
    several = 2

    async def act(http: httpx.AsyncClient, dice: random.Random) -> None:
        await ask_several(
            http, scene.gateway.chat, scene.report, dice, dice.randint(2, 3 * processes)
        )

    async with meanwhile(Scene.conversations(scene, 1)):
        await scene.crowd(several, act)


async def large_schemas(scene: Scene) -> None:
    """Schemas at each limit, and beyond it."""

    async def act(http: httpx.AsyncClient, dice: random.Random) -> None:
        await ask_for_json(http, scene.gateway.chat, scene.report, dice)

    await scene.crowd(3, act)


async def slow_readers(scene: Scene) -> None:
    """Long answers that are read slowly; the gateway does not hold them meanwhile."""
    before = scene.gateway.holds().memory

    async def act(http: httpx.AsyncClient, dice: random.Random) -> None:
        await read_slowly(http, scene.gateway.chat, scene.report, dice)

    highest = trouble.Highest(scene.gateway)
    async with meanwhile(highest.watch()):
        await scene.crowd(SLOW_READERS, act)
    if highest.memory - before > MEMORY_OF_READERS:
        scene.report.wrong.append(
            f"{SLOW_READERS} slow readers of {CHARACTERS} characters each: "
            f"{before:.0f} MB before, up to {highest.memory:.0f} MB meanwhile"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Phases with one gateway, which is set up like that; `warm` comes before them."""

    phases: tuple[Phase, ...]
    limits: Mapping[str, Any] = field(default_factory=dict)
    claude_code: Mapping[str, Any] = field(default_factory=dict)
    full_disk: bool = False
    warm: tuple[Run, ...] = (quiet, large_schemas)


ALL: Final = (
    Act(
        phases=(
            Phase(name="quiet", run=quiet, share=0.02),
            Phase(name="upstream fails", run=upstream_fails, share=0.2),
            Phase(name="clients leave", run=clients_leave, share=0.1),
            Phase(
                name="lines are spoilt", run=quiet, share=0.1, odds=0.15, ends=(GONE, LEFT_ALONE)
            ),
            Phase(name="processes die", run=processes_die, share=0.1, ends=(GONE, LEFT_ALONE)),
            Phase(name="processes hang", run=processes_hang, share=0.03, ends=("504 timeout",)),
            Phase(name="what waits dies", run=trouble.kill_what_waits, share=0.03),
            Phase(name="n beyond the processes", run=more_than_processes, share=0.1, bound=120),
            Phase(name="schemas at their limits", run=large_schemas, share=0.03),
            Phase(name="slow readers", run=slow_readers, share=0.01, bound=90),
            Phase(
                name="without a CLI",
                run=partial(trouble.without_cli, seconds=40),
                share=0.03,
            ),
            *(
                Phase(
                    name=f"everything at once, {number}",
                    run=everything,
                    share=0.09,
                    odds=0.05,
                    ends=(GONE, LEFT_ALONE, "504 timeout"),
                )
                for number in (1, 2)
            ),
        ),
    ),
    Act(
        phases=(
            Phase(name="slow start", run=quiet, share=0.02, slow=(8, 20), bound=120),
            Phase(name="slow start, many want it", run=more_than_processes, share=0.01,
                  slow=(8, 20), bound=200),
        ),
        limits={"idle_seconds": 60, "request_seconds": 300},
        claude_code={"start_seconds": 45, "queue_seconds": 120},
    ),
    Act(
        phases=(
            Phase(name="too slow a start", run=partial(trouble.too_slow, seconds=(8, 9)), share=0.02),
        ),
        claude_code={"start_seconds": 6},
    ),
    Act(
        phases=(Phase(name="full disk from the start", run=trouble.room_again, share=0.04),),
        full_disk=True,
    ),
)  # fmt: skip

FEW: Final = 3
SMALL: Final = (
    Act(
        phases=(
            Phase(
                name="upstream fails",
                # one that falls silent takes as long as the gateway's patience
                run=partial(upstream_fails, wishes=[each for each in FAULTS if each != "silent"]),
                share=0.3,
            ),
            Phase(
                name="processes die",
                run=partial(processes_die, every=2),
                share=0.25,
                ends=(GONE, LEFT_ALONE),
            ),
            Phase(name="what waits dies", run=trouble.kill_what_waits, share=0.1),
            Phase(
                name="n beyond the processes",
                run=partial(more_than_processes, processes=FEW),
                share=0.25,
                bound=120,
            ),
            Phase(name="without a CLI", run=partial(trouble.without_cli, seconds=1), share=0.1),
        ),
        claude_code={"max_processes": FEW, "check_cli": False},
        full_disk=True,
        warm=(quiet,),
    ),
)
"""A little of it, on a full disk throughout."""
