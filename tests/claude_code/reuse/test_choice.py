"""Of the idle processes, a conversation gets the one that has most of it, and none that goes on."""

from dataclasses import dataclass

import pytest

from gateway_claude_code.reuse.choice import LATEST, WARM_SECONDS, Waiting, choose, cuttable
from gateway_claude_code.reuse.held import Held
from gateway_claude_code.reuse.set_up import SetUp, Wanted
from tests.claude_code.pool.pool_support import a_launch
from tests.claude_code.reuse.reuse_support import digests, held

LAUNCH = a_launch()
OURS = SetUp(LAUNCH, "key a", b"1")


@dataclass(frozen=True)
class Process:
    name: str
    held: Held
    parked: bool = False

    @property
    def empty(self) -> bool:
        return not len(self.held)


def idle(
    name: str,
    turns: str = "",
    seconds: float = 0,
    *,
    set_up: SetUp | None = OURS,
    opening: bytes = b"tools",
    parked: bool = False,
) -> Waiting[Process]:
    process = held(turns) if turns else Held()
    if set_up is not None:
        process.serve(set_up)
    process.open(opening, opening)
    return Waiting(Process(name, process, parked), seconds)


def wanted(turns: str, *, opening: bytes = b"tools", may_exchange_tools: bool = True) -> Wanted:
    return Wanted(
        set_up=OURS,
        opening=opening,
        prefixes=digests(turns),
        may_exchange_tools=may_exchange_tools,
    )


LATER = WARM_SECONDS + 1


@pytest.mark.parametrize(
    ("waiting", "request_", "chosen"),
    [
        ([idle("long", "abcdef"), idle("empty")], "abcdx", "long"),
        ([idle("two", "ab"), idle("four", "abcd")], "abcdx", "four"),
        ([idle("more", "abcdyz"), idle("just", "abcd")], "abcdx", "just"),
        ([idle("other", "xy"), idle("empty")], "abc", "empty"),
        ([idle("empty"), idle("warm"), idle("other", "xy")], "abc", "warm"),
        ([idle("edited", "abcdefghijkl"), idle("empty")], "abx", "empty"),
        ([idle("edited", "abcdefghijkl", LATER), idle("empty")], "abx", "edited"),
        ([idle("old", "xy"), idle("1", "yx"), idle("2", "zx")], "a", "old"),
        ([idle("1", "xy")], "a", None),
        ([idle("1", "xy", LATER)], "a", "1"),
        ([idle("chat", "wxyz"), idle("1", "yx")], "a", None),
        ([idle("chat", "wxyz", LATER), idle("1", "yx")], "a", "chat"),
        ([idle("agent", "abcd", parked=True)], "abcdx", None),
        ([idle("agent", "abcd", LATER, parked=True)], "abcdx", "agent"),
        ([], "abc", None),
    ],
    ids=[
        "most of it", "of two, more of it", "of equals, the one that loses less",
        "an empty one", "of these the last used", "not much for little", "but of one that has waited",
        "one short conversation, the oldest", "not the latest", "unless it has waited",
        "no chat that goes on", "but one that has waited", "no agent at work",
        "but one that was given up", "nothing at all",
    ],
)  # fmt: skip
def test_the_choice(waiting: list[Waiting[Process]], request_: str, chosen: str | None) -> None:
    found = choose(waiting, wanted(request_))
    assert (found.name if found is not None else None) == chosen


@pytest.mark.parametrize(
    "set_up",
    [
        None,
        SetUp(LAUNCH, "key b", b"1"),
        SetUp(LAUNCH, "key a", b"2"),
        SetUp(
            a_launch(stamp=(2, 2)),
            "key a",
            b"1",
        ),
    ],
    ids=["one conversation only", "another caller", "another system prompt", "another program"],
)
@pytest.mark.parametrize("urgent", [False, True])
def test_a_process_of_another_set_up_never(set_up: SetUp | None, urgent: bool) -> None:
    waiting = [idle("empty", set_up=set_up), idle("same", "abcd", LATER, set_up=set_up)]
    assert choose(waiting, wanted("abcde"), urgent=urgent) is None


def test_other_tools_are_exchanged_in_an_empty_conversation_only() -> None:
    other = idle("other", "abcd", opening=b"others")
    assert choose([other], wanted("abcde")) is None
    assert choose([other, idle("empty", opening=b"others")], wanted("abcde")) is not None


def test_of_empty_ones_one_that_has_the_tools() -> None:
    found = choose([idle("others", opening=b"others"), idle("same")], wanted("abc"))
    assert found is not None
    assert found.name == "same"


def test_where_tools_cannot_be_exchanged_they_have_to_be_the_same() -> None:
    others = [idle("empty", opening=b"others"), idle("old", "xy", LATER, opening=b"others")]
    for urgent in (False, True):
        assert choose(others, wanted("a", may_exchange_tools=False), urgent=urgent) is None


def test_if_a_process_had_to_end_for_the_request_the_oldest_is_used() -> None:
    waiting = [idle("agent", "wxyz", parked=True), idle("chat", "wxyz")]
    assert choose(waiting, wanted("abc")) is None
    found = choose(waiting, wanted("abc"), urgent=True)
    assert found is not None
    assert found.name == "agent"


def test_short_conversations_may_be_cut_ahead_but_for_the_latest() -> None:
    waiting = [idle("1", "ab"), idle("chat", "wxyz"), idle("2", "cd"), idle("3", "ef"), idle("4")]
    assert [one.process.name for one in cuttable(waiting)] == ["1", "2"]


def test_of_long_conversations_more_are_left_alone() -> None:
    chats = [idle(str(number), "wxyz") for number in range(LATEST)]
    assert cuttable(chats) == []
    assert [one.process.name for one in cuttable([idle("old", "wxyz"), *chats])] == ["old"]
