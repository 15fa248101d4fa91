"""Spares and live conversations: how many there are, and which one is given out."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.pool.live import LiveConversations
from gateway_claude_code.pool.spares import DEMAND_SECONDS, Spares
from gateway_claude_code.process.launch import Launch
from tests.clock import Clock

LAUNCH = Launch(
    program=Path("/bin/claude"),
    stamp=(1, 1),
    model="opus",
    one_request=False,
    arguments=(),
    environment=(),
    folder=Path("/"),
)
OTHER = replace(LAUNCH, model="haiku")


class Process:
    """As much of a conversation as is looked at here."""

    alive = True
    starting = False
    was_spare = False

    def become_spare(self) -> None:
        self.was_spare = True


def a_process() -> Conversation:
    return cast(Conversation, Process())


@pytest.fixture
def clock() -> Clock:
    return Clock(0)


def spares(clock: Clock, at_least: int = 1, at_most: int = 3) -> Spares:
    return Spares(at_least, at_most, 1000, clock)


def fill(kept: Spares) -> list[Conversation]:
    started = []
    while (launch := kept.missing()) is not None:
        kept.add(launch, conversation := a_process())
        started.append(conversation)
    return started


# -- spares -------------------------------------------------------------------------------


def test_nothing_is_wanted_before_anything_is_expected(clock: Clock) -> None:
    assert spares(clock).missing() is None


@pytest.mark.parametrize(("at_least", "at_most", "number"), [(0, 3, 0), (2, 3, 2), (5, 3, 3)])
def test_the_least_number_is_always_there(
    clock: Clock, at_least: int, at_most: int, number: int
) -> None:
    kept = spares(clock, at_least, at_most)
    kept.expect(LAUNCH)
    assert len(fill(kept)) == len(kept) == number


def test_the_oldest_is_given_out_and_replaced(clock: Clock) -> None:
    kept = spares(clock, 2)
    kept.expect(LAUNCH)
    first, second = fill(kept)
    assert kept.take(LAUNCH) is first
    assert first.was_spare
    assert len(fill(kept)) == 1
    assert kept.take(LAUNCH) is second


def test_one_that_died_is_not_given_out(clock: Clock) -> None:
    kept = spares(clock, 2)
    kept.expect(LAUNCH)
    first, second = fill(kept)
    cast(Any, first).alive = False
    assert kept.take(LAUNCH) is second


def test_demand_that_is_not_met_makes_more(clock: Clock) -> None:
    kept = spares(clock)
    kept.expect(LAUNCH)
    fill(kept)
    kept.take(LAUNCH)
    assert kept.take(LAUNCH) is None
    assert len(fill(kept)) == 2
    for _ in range(10):
        kept.take(LAUNCH)
    assert len(fill(kept)) == 3


def test_without_demand_the_least_number_is_left(clock: Clock) -> None:
    kept = spares(clock)
    kept.expect(LAUNCH)
    for launch in (LAUNCH, LAUNCH, LAUNCH, OTHER):
        kept.take(launch)
    assert len(fill(kept)) == 3
    clock.now = DEMAND_SECONDS + 1
    assert len(kept.take_useless()) == 2
    assert len(kept) == 1
    assert kept.take(LAUNCH) is not None


def test_the_one_that_waited_too_long_is_replaced(clock: Clock) -> None:
    kept = spares(clock)
    kept.expect(LAUNCH)
    (old,) = fill(kept)
    clock.now = 1000
    assert kept.take_useless() == [old]
    assert len(fill(kept)) == 1


def test_a_spare_of_another_kind_is_of_no_use(clock: Clock) -> None:
    kept = spares(clock)
    kept.expect(LAUNCH)
    fill(kept)
    assert kept.take(OTHER) is None
    assert kept.missing() == OTHER


def test_a_program_that_was_replaced_takes_its_spares_along(clock: Clock) -> None:
    kept = spares(clock)
    kept.expect(LAUNCH)
    old = fill(kept)
    newer = replace(LAUNCH, stamp=(2, 2))
    assert kept.forget_other_programs(newer) == old
    assert kept.take(newer) is None
    assert kept.missing() == newer
    assert kept.forget_other_programs(newer) == []


def test_of_a_program_that_was_replaced_there_is_always_a_spare_too(clock: Clock) -> None:
    kept = spares(clock, 2)
    kept.expect(LAUNCH)
    newer = replace(LAUNCH, stamp=(2, 2))
    kept.forget_other_programs(newer)
    kept.take(newer)
    clock.now = DEMAND_SECONDS + 1
    kept.take_useless()
    assert len(fill(kept)) == 2


def test_those_used_least_lately_give_way_first(clock: Clock) -> None:
    kept = spares(clock)
    assert kept.take_any() is None
    kept.expect(LAUNCH)
    (usual,) = fill(kept)
    clock.now = 1
    kept.take(OTHER)
    (other,) = fill(kept)
    assert kept.take_any() is usual
    assert kept.take_any() is other


def test_one_that_dies_as_it_starts_is_neither_given_out_nor_taken_away(clock: Clock) -> None:
    kept = spares(clock)
    kept.expect(LAUNCH)
    (spare,) = fill(kept)
    cast(Any, spare).alive, cast(Any, spare).starting = False, True
    assert kept.take_useless() == []
    assert kept.take(LAUNCH) is None
    assert kept.remove(spare)
    assert not kept.remove(spare)
    assert len(kept) == 0


def test_all_of_them_at_the_end(clock: Clock) -> None:
    kept = spares(clock, 2)
    kept.expect(LAUNCH)
    started = fill(kept)
    assert kept.take_all() == started
    assert len(kept) == 0
    assert kept.missing() is None


# -- live conversations -------------------------------------------------------------------


def live(clock: Clock, most: int = 2) -> LiveConversations[str]:
    return LiveConversations(most, 300, clock)


def test_a_conversation_is_taken_once(clock: Clock) -> None:
    waiting = live(clock)
    assert waiting.keep(b"1", "one") == []
    assert waiting.take(b"2") is None
    assert waiting.take(b"1") == "one"
    assert waiting.take(b"1") is None


def test_the_least_recently_used_gives_way(clock: Clock) -> None:
    waiting = live(clock)
    waiting.keep(b"1", "one")
    waiting.keep(b"2", "two")
    assert waiting.keep(b"3", "three") == ["one"]
    assert len(waiting) == 2
    assert waiting.take_oldest() == "two"


def test_the_newer_of_two_equal_ones_waits(clock: Clock) -> None:
    waiting = live(clock)
    waiting.keep(b"1", "one")
    assert waiting.keep(b"1", "another") == ["one"]
    assert waiting.take(b"1") == "another"


def test_waiting_has_an_end(clock: Clock) -> None:
    waiting = live(clock)
    assert waiting.next_expiry() is None
    waiting.keep(b"1", "one")
    clock.now = 200
    waiting.keep(b"2", "two")
    assert waiting.next_expiry() == 100
    assert waiting.take_expired() == []
    clock.now = 300
    assert waiting.take_expired() == ["one"]
    clock.now = 600
    assert waiting.next_expiry() == 0


def test_the_dead_are_taken_out(clock: Clock) -> None:
    waiting = live(clock)
    waiting.keep(b"1", "one")
    waiting.keep(b"2", "two")
    assert waiting.take_dead(lambda conversation: conversation != "one") == ["one"]
    assert len(waiting) == 1
    assert waiting.take(b"1") is None


def test_all_conversations_at_the_end(clock: Clock) -> None:
    waiting = live(clock)
    waiting.keep(b"1", "one")
    waiting.keep(b"2", "two")
    assert waiting.take_all() == ["one", "two"]
    assert waiting.take_oldest() is None
