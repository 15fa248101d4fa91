"""How long the event loop was held up."""

import anyio
import anyio.lowlevel

from gateway.load.loop_watch import EVERY_SECONDS, RECENT_SECONDS, LoopWatch
from tests.clock import Clock, RunningClock


def test_the_longest_stall_is_kept_and_the_recent_one_is_forgotten_in_time() -> None:
    clock = Clock()
    watch = LoopWatch(clock)
    assert watch.report() == {"longest_stall_ms": 0, "recent_stall_ms": 0}
    watch.note(0.2)
    clock.now += RECENT_SECONDS / 2
    watch.note(0.1)
    assert watch.report() == {"longest_stall_ms": 200, "recent_stall_ms": 200}
    clock.now += RECENT_SECONDS / 2 + 1
    assert watch.report() == {"longest_stall_ms": 200, "recent_stall_ms": 100}
    clock.now += RECENT_SECONDS
    assert watch.report() == {"longest_stall_ms": 200, "recent_stall_ms": 0}


def test_a_longer_stall_replaces_the_shorter_ones_before_it() -> None:
    watch = LoopWatch(Clock())
    for seconds in (0.1, 0.05, 0.3, 0.2):
        watch.note(seconds)
    assert watch.recent == watch.longest == 0.3


async def test_a_loop_that_is_held_up_is_noticed(clock: RunningClock) -> None:
    watch = LoopWatch(clock)
    async with watch.running():
        await anyio.lowlevel.checkpoint()
        clock.turn(EVERY_SECONDS * 3)  # this is the stall
        while not watch.longest:
            await anyio.lowlevel.checkpoint()
    assert watch.longest >= EVERY_SECONDS
