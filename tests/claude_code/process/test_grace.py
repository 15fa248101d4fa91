"""The time that a process gets before it is killed is time in which it could have run."""

import os
from collections.abc import Callable

import pytest

from gateway_claude_code.process.grace import LONGEST, STEP_SECONDS, Grace, seconds_in_line
from tests.clock import Clock


def seconds_until_over(
    seconds: float, step: float, in_line: Callable[[float], float | None]
) -> float:
    """How long a grace is on a machine that wakes us up every `step` seconds."""
    clock = Clock()
    grace = Grace(1, seconds, clock, lambda _: in_line(clock.now))
    while not grace.over():
        clock.now += step
    return round(clock.now - 100, 2)


@pytest.mark.parametrize(
    ("step", "in_line", "expected"),
    [
        (STEP_SECONDS, lambda _: None, 1.0),
        (STEP_SECONDS, lambda _: 7.0, 1.0),
        (STEP_SECONDS, lambda now: now * 0.5, 2.0),
        (STEP_SECONDS, lambda now: now, 10.0),
        (STEP_SECONDS * 4, lambda _: None, 4.0),
        (60.0, lambda _: 7.0, 60.0),
    ],
    ids=[
        "nothing is known",
        "the processor is free",
        "half of the time it waits for a processor",
        "it never gets one",
        "we get one late ourselves",
        "we slept",
    ],
)
def test_how_long_it_is(
    step: float, in_line: Callable[[float], float | None], expected: float
) -> None:
    assert seconds_until_over(1, step, in_line) == pytest.approx(expected, abs=2 * STEP_SECONDS)
    assert expected <= LONGEST or step > LONGEST


@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="Linux only")  # noqa: PTH110
def test_how_long_a_process_waited_is_known_on_linux() -> None:
    waited = seconds_in_line(os.getpid())
    assert waited is not None
    assert waited >= 0


def test_of_a_process_that_there_is_none_of_nothing_is_known() -> None:
    assert seconds_in_line(2**22 + 1) is None
