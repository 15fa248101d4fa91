"""A set-up wants a process of its own once two conversations have begun with it, for two minutes."""

from typing import cast

import pytest

from gateway_claude_code.conversations.warming import Recipe
from gateway_claude_code.pool.set_ups import ENOUGH, IN_USE_SECONDS, SetUps
from gateway_claude_code.reuse.set_up import SetUp, Wanted
from tests.claude_code.pool.pool_support import a_launch
from tests.clock import Clock

LAUNCH = a_launch()


def wanted(number: int, opening: bytes = b"1") -> Wanted:
    return Wanted(set_up=SetUp(LAUNCH, "key a", bytes([number])), opening=opening, prefixes=())


class Noted:
    """A recipe that says when it is asked for."""

    def __init__(self, opening: bytes = b"1") -> None:
        self.opening = opening
        self.asked = 0

    def __call__(self) -> Recipe:
        self.asked += 1
        return cast(Recipe, self)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_one_conversation_is_no_sign_of_more(clock: Clock) -> None:
    set_ups, recipe = SetUps(4, 300, clock), Noted()
    for number in range(1, ENOUGH + 1):
        assert set_ups.in_use() == []
        set_ups.note(wanted(1), recipe)
        assert recipe.asked == (number == ENOUGH)
    assert [set_up for set_up, _ in set_ups.in_use()] == [wanted(1).set_up]


def test_a_recipe_is_made_anew_for_other_tools_only(clock: Clock) -> None:
    set_ups, first, second = SetUps(4, 300, clock), Noted(), Noted(b"2")
    for _ in range(3):
        set_ups.note(wanted(1), first)
    assert first.asked == 1
    set_ups.note(wanted(1, b"2"), second)
    assert second.asked == 1


def test_the_last_used_come_first_and_no_more_than_so_many(clock: Clock) -> None:
    set_ups = SetUps(2, 300, clock)
    for number in (1, 2, 3):
        for _ in range(ENOUGH):
            set_ups.note(wanted(number), Noted())
    assert [set_up for set_up, _ in set_ups.in_use()] == [wanted(3).set_up, wanted(2).set_up]


def test_after_a_while_none_is_wanted(clock: Clock) -> None:
    set_ups = SetUps(4, 300, clock)
    for _ in range(ENOUGH):
        set_ups.note(wanted(1), Noted())
    clock.now += IN_USE_SECONDS + 1
    assert set_ups.in_use() == []


def test_without_room_for_any_nothing_is_asked_for() -> None:
    set_ups, recipe = SetUps(0, 300), Noted()
    for _ in range(ENOUGH):
        set_ups.note(wanted(1), recipe)
    assert recipe.asked == 0
    assert set_ups.in_use() == []


def test_none_is_wanted_where_processes_do_not_wait_as_long() -> None:
    set_ups = SetUps(4, IN_USE_SECONDS - 1)
    for _ in range(ENOUGH):
        set_ups.note(wanted(1), Noted())
    assert set_ups.in_use() == []
