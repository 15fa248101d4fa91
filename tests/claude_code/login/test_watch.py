"""Waiting for a login."""

from collections.abc import Callable
from itertools import islice, repeat

import anyio
import pytest

from gateway.errors import BackendUnavailable
from gateway_claude_code.login.status import Login
from gateway_claude_code.login.watch import LoginWatch, pauses

NONE = Login(logged_in=False, method="none")
PLAN = Login(logged_in=True, method="claude.ai")
NO_CLI = BackendUnavailable("there is no CLI")


class Cli:
    """Gives these answers, the last one again and again, and has a clock that can be turned."""

    def __init__(self, *answers: Login | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.seconds = 0.0

    async def __call__(self) -> Login:
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def now(self) -> float:
        return self.seconds


def watch_of(cli: Cli) -> LoginWatch:
    return LoginWatch(cli, cli.now)


def test_it_asks_often_at_first_and_at_least_every_eight_seconds() -> None:
    first = list(islice(pauses(), 12))
    assert first[:4] == [1.0, 1.5, 2.25, 3.375]
    assert first == sorted(first)
    assert first[-1] == max(islice(pauses(), 1000)) == 8


@pytest.mark.parametrize("before", [[], [NONE, NONE], [NO_CLI, NONE], [NO_CLI, NO_CLI]])
async def test_it_waits_until_there_is_a_login(before: list[Login | Exception]) -> None:
    cli = Cli(*before, PLAN)
    clock: Callable[[], float] = iter(range(100)).__next__  # each answer is old when it is there
    with anyio.fail_after(5):
        assert await LoginWatch(cli, clock).wait(repeat(0.0)) == PLAN
    assert cli.asked == len(before) + 1


async def test_a_burst_of_requests_asks_once() -> None:
    watch = watch_of(cli := Cli(NONE))
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(watch.look)
    assert cli.asked == 1
    cli.seconds += 1
    assert not await watch.look()
    assert cli.asked == 2


async def test_an_answer_from_before_does_not_count() -> None:
    """The login may have come in between."""
    watch = watch_of(cli := Cli(NONE, PLAN))
    assert not await watch.look()
    cli.seconds += 0.001
    assert await watch.look()


async def test_what_a_request_finds_ends_the_waiting_at_once() -> None:
    watch = watch_of(cli := Cli(NONE, PLAN))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch.wait, [3600.0])
            await anyio.wait_all_tasks_blocked()
            cli.seconds += 1
            assert await watch.look()


async def test_with_a_login_nobody_is_asked_again() -> None:
    watch = watch_of(cli := Cli(PLAN))
    for _ in range(3):
        assert await watch.look()
        cli.seconds += 100
    assert cli.asked == 1
