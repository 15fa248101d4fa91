"""Large data is worked on in a thread, small data where one is."""

import threading

import anyio
import anyio.lowlevel
import pytest

from gateway.load.off_loop import LARGE_BYTES, off_loop


@pytest.mark.parametrize(("size", "here"), [(LARGE_BYTES, True), (LARGE_BYTES + 1, False)])
async def test_large_data_leaves_the_loop(size: int, here: bool) -> None:
    loop = threading.get_ident()
    assert (await off_loop(size, threading.get_ident) == loop) is here


async def test_one_piece_of_work_at_a_time() -> None:
    """The second begins only when the first, which waits to be told, is over."""
    began: list[int] = []
    may_end = threading.Event()

    def work(number: int) -> None:
        began.append(number)
        may_end.wait(10)

    async with anyio.create_task_group() as tasks:
        for number in range(2):
            tasks.start_soon(off_loop, LARGE_BYTES + 1, work, number)
        while not began:
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()
        assert began == [0]
        may_end.set()
    assert began == [0, 1]


async def test_what_it_raises_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        await off_loop(LARGE_BYTES + 1, lambda: 1 / 0)
