"""When a process may be back is told by how long those of its set-up took the last time."""

import pytest

from gateway_claude_code.reuse.rounds import Rounds
from gateway_claude_code.reuse.set_up import SetUp
from tests.claude_code.pool.pool_support import a_launch
from tests.clock import Clock

LAUNCH = a_launch()
SET_UP, OTHER = SetUp(LAUNCH, "a", b"1"), SetUp(LAUNCH, "a", b"2")


def one_round(rounds: Rounds[str], clock: Clock, process: str, seconds: float) -> None:
    rounds.begin(process, SET_UP)
    clock.turn(seconds)
    rounds.end(process)


@pytest.mark.parametrize(("ahead", "expected"), [(0, 1.5), (1, 3), (5, 9)])
def test_each_in_line_waits_for_one_more(ahead: int, expected: float) -> None:
    clock = Clock(0)
    rounds = Rounds[str](clock)
    for process, seconds in (("p", 2.0), ("q", 4.0)):
        one_round(rounds, clock, process, seconds)
    rounds.begin("p", SET_UP)
    rounds.begin("q", SET_UP)
    assert rounds.seconds_until_back(SET_UP, ahead) == expected


def test_a_round_begins_once() -> None:
    clock = Clock(0)
    rounds = Rounds[str](clock)
    rounds.begin("p", SET_UP)
    clock.turn(1)
    rounds.begin("p", SET_UP)
    clock.turn(1)
    assert rounds.away(SET_UP) == 1
    rounds.end("p")
    rounds.end("p")
    assert rounds.away(SET_UP) == 0
    rounds.begin("p", SET_UP)
    assert rounds.seconds_until_back(SET_UP, 0) == 2


def test_nothing_is_known_of_others() -> None:
    clock = Clock(0)
    rounds = Rounds[str](clock)
    rounds.begin("never back yet", SET_UP)
    assert rounds.seconds_until_back(SET_UP, 0) is None
    one_round(rounds, clock, "idle", 1)
    assert rounds.seconds_until_back(SET_UP, 0) is None
    rounds.begin("idle", SET_UP)
    assert rounds.seconds_until_back(SET_UP, 0) == 1
    assert rounds.seconds_until_back(OTHER, 0) is None
    clock.turn(2)
    assert rounds.seconds_until_back(SET_UP, 0) is None, "it is late"
    clock.turn(-1)
    rounds.forget("idle")
    assert rounds.seconds_until_back(SET_UP, 0) is None
