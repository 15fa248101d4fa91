"""Who is next: callers take turns, and so do the calls of one caller."""

import random
from collections import Counter

import pytest

from gateway.load.turns import Turns


def filled(*places: tuple[str, str]) -> Turns[tuple[str, str]]:
    turns: Turns[tuple[str, str]] = Turns()
    for caller, call in places:
        turns.add(caller, call, (caller, call))
    return turns


def drained(turns: Turns[tuple[str, str]]) -> list[str]:
    order = []
    while turns:
        order.append("".join(turns.next()))
    return order


@pytest.mark.parametrize(
    ("places", "order"),
    [
        ([], []),
        ([("a", "1")] * 3 + [("b", "1")], ["a1", "b1", "a1", "a1"]),
        ([("a", "1")] * 3 + [("a", "2")], ["a1", "a2", "a1", "a1"]),
        (
            [("a", "1")] * 2 + [("a", "2")] * 2 + [("b", "1")] * 2,
            ["a1", "b1", "a2", "b1", "a1", "a2"],
        ),
    ],
    ids=["empty", "callers", "calls", "both"],
)
def test_turns(places: list[tuple[str, str]], order: list[str]) -> None:
    assert drained(filled(*places)) == order


def test_items_of_a_call_keep_their_order() -> None:
    turns: Turns[int] = Turns()
    for number in range(4):
        turns.add("a", "1", number)
    assert [turns.next() for _ in range(4)] == [0, 1, 2, 3]


def test_each_item_is_counted() -> None:
    turns = filled(("a", "1"), ("a", "1"), ("b", "1"))
    assert len(turns) == 3
    turns.next()
    assert len(turns) == 2


def test_a_call_is_counted_once() -> None:
    turns = filled(*[("a", "1")] * 128, ("a", "2"), ("b", "1"))
    assert turns.calls == 3
    assert turns.has("a", "1")
    assert not turns.has("b", "2")
    assert not turns.has("c", "1")


def test_what_gives_up_leaves_no_trace() -> None:
    turns = filled(("a", "1"), ("a", "2"), ("b", "1"))
    turns.remove("a", "1", ("a", "1"))
    turns.remove("b", "1", ("b", "1"))
    assert (turns.calls, drained(turns)) == (1, ["a2"])


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_and_goes_nothing_is_lost_and_nobody_is_passed_over(seed: int) -> None:
    """Against a plain count: between two turns of a caller each other one has a turn at most."""
    chance = random.Random(seed)
    turns: Turns[tuple[str, str]] = Turns()
    waiting: Counter[tuple[str, str]] = Counter()
    for _ in range(300):
        place = (chance.choice("abc"), chance.choice("12"))
        if chance.random() < 0.6:
            turns.add(*place, place)
            waiting[place] += 1
        elif waiting[place]:
            turns.remove(*place, place)
            waiting[place] -= 1
        assert turns.calls == sum(1 for number in waiting.values() if number)
    order = []
    while turns:
        order.append(turns.next())
    assert Counter(order) == +waiting
    first_round = [caller for caller, _ in order[: len({caller for caller, _ in order})]]
    assert len(set(first_round)) == len(first_round)
