"""Tasks beside the one that answers: whichever ends first stops the rest."""

import anyio
import pytest

from gateway.frontend.response.companion_tasks import CompanionTasks


async def test_what_is_done_inside_ends_the_companions() -> None:
    ended = anyio.Event()

    async def companion() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    with CompanionTasks(companion):
        await anyio.lowlevel.checkpoint()
    with anyio.fail_after(5):
        await ended.wait()


async def test_a_companion_that_ends_cancels_what_is_done_inside() -> None:
    with CompanionTasks(anyio.lowlevel.checkpoint, anyio.sleep_forever):
        await anyio.sleep_forever()


async def test_a_companion_that_fails_is_heard_of() -> None:
    async def fail() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"), CompanionTasks(fail):
        await anyio.sleep_forever()


async def test_an_error_inside_is_raised_as_it_is() -> None:
    with pytest.raises(KeyError, match="x"), CompanionTasks(anyio.sleep_forever):
        raise KeyError("x")


async def test_what_is_shielded_is_finished_first() -> None:
    done = False
    with CompanionTasks(anyio.lowlevel.checkpoint):
        with anyio.CancelScope(shield=True):
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            done = True
        await anyio.sleep_forever()
    assert done


async def test_a_cancellation_from_outside_goes_on() -> None:
    with anyio.CancelScope() as outside:
        with CompanionTasks(anyio.sleep_forever):
            outside.cancel()
            await anyio.sleep_forever()
        raise AssertionError("was cancelled here")
    assert outside.cancelled_caught
