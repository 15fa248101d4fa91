"""A process knows its turns, and the places to which its conversation can be cut."""

import pytest

from gateway_claude_code.reuse.held import MOST_CONVERSATIONS, Held
from tests.claude_code.reuse.reuse_support import digests, held


@pytest.mark.parametrize(
    ("process", "request_", "reached"),
    [
        (held("abcd"), "abcde", 4),
        (held("abcd"), "abcdefg", 4),
        (held("abcd"), "abc", 2),
        (held("abcd"), "abx", 2),
        (held("abcd"), "axx", 0),
        (held("abcd"), "x", 0),
        (held("abcdef"), "abcdx", 4),
        (held("abcdef"), "abcxe", 2),
        (held("abcd", "uara"), "abcde", 4),
        (held("abcdef", "uaraua"), "abcdx", 4),
        (held("abcd", "uaaa"), "abx", 0),
        (held("abc", confirmed=False), "abc", 2),
        (held("abc", confirmed=False), "abcde", 2),
        (Held(), "abc", 0),
        (held("abcd"), "", 0),
    ],
    ids=[
        "goes on", "and has more turns", "is asked again", "another last turn",
        "another first answer", "another conversation", "shares two turns", "shares one",
        "goes on after results", "shares results", "results have no place of their own",
        "a turn that is not over", "nor known to its end", "an empty one", "unknown turns",
    ],
)  # fmt: skip
def test_how_much_of_a_request_can_stay(process: Held, request_: str, reached: int) -> None:
    assert process.reach(digests(request_)) == reached


def test_what_is_cut_is_gone() -> None:
    process = held("abcdef")
    process.cut(2)
    assert len(process) == 2
    assert process.whole
    assert process.last_uuid == "uuid-0"
    assert process.reach(digests("abcdef")) == 2


def test_a_parked_process_has_to_be_cut_first() -> None:
    process = Held()
    process.begin(digests("a"))
    process.add("uuid-0")
    assert process.confirm(digests("ab"), parked=True)
    assert process.reach(digests("abc")) == 0


@pytest.mark.parametrize("turns", ["ab", "abcd", "abcde"])
def test_of_turns_that_do_not_agree_in_number_nothing_stays(turns: str) -> None:
    process = Held()
    process.begin(digests("abc"))
    for number in range(2):
        process.add(f"uuid-{number}")
    process.confirm(digests(turns), parked=False)
    assert process.reach(digests("abcdef")) == 0


def test_unknown_turns_are_cut_as_a_whole() -> None:
    process = held("abcd")
    process.begin(())
    process.add("uuid-4")
    assert process.reach(digests("abcdef")) == 0
    assert process.last_user == 4


def test_a_mark_is_gone_with_its_turn() -> None:
    process = Held()
    process.begin(digests("abc"))
    process.add("uuid-0")
    process.add(None)
    process.add("uuid-2", marked=True)
    assert process.has_mark
    process.cut(2)
    assert not process.has_mark


def test_a_process_is_worn_by_the_conversations_that_begin_in_it() -> None:
    process = Held()
    for number in range(MOST_CONVERSATIONS):
        assert not process.worn
        process.begin(())
        process.add(f"uuid-{number}")
        process.cut(0)
    assert process.worn
