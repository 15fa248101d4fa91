"""The model of the prompt cache, held against the rules that the API documents."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bench.prompt_cache import PICTURE_TOKENS, PromptCache, Rules, Spent

Body = dict[str, Any]
MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def block(tokens: int, name: str, **mark: object) -> Body:
    return {"type": "text", "text": name[0] * (4 * tokens - len(name)) + name, **mark}


def body(*blocks: Body, **fields: object) -> Body:
    return {"model": "m", "messages": [{"role": "user", "content": list(blocks)}], **fields}


def row(count: int, *marked: int) -> Body:
    """A request of `count` blocks of 200 tokens each, the ones of these numbers (from 1) marked."""
    blocks = [block(200, f"b{n}", **(MARK if n in marked else {})) for n in range(1, count + 1)]
    return body(*blocks)


LONG = block(2000, "long", **MARK)
ASKED = body(LONG, block(100, "question"))


@pytest.mark.parametrize(
    ("requests", "read", "written", "fresh"),
    [
        pytest.param([body(block(2000, "long"))] * 2, 0, 0, 2000, id="without a mark, nothing"),
        pytest.param([ASKED], 0, 2000, 100, id="the first request writes up to its mark"),
        pytest.param([ASKED] * 2, 2000, 0, 100, id="the same again is read"),
        pytest.param(
            [ASKED, body(LONG, block(90, "other"))], 2000, 0, 90, id="so is a shared beginning"
        ),
        pytest.param(
            [ASKED, body(block(2000, "else", **MARK))], 0, 2000, 0, id="another text is not"
        ),
        pytest.param([body(block(1023, "l", **MARK))] * 2, 0, 0, 1023, id="too short to be stored"),
        pytest.param([body(block(1024, "l", **MARK))] * 2, 1024, 0, 0, id="just long enough"),
        pytest.param([row(10, 10), row(15, 15)], 2000, 1000, 0, id="found by looking back"),
        pytest.param([row(15, 15), row(34, 34)], 3000, 3800, 0, id="the 20th block is looked at"),
        pytest.param([row(15, 15), row(35, 35)], 0, 7000, 0, id="the 21st is not"),
        pytest.param([row(15, 15), row(35, 15, 35)], 3000, 4000, 0, id="a second mark finds it"),
        pytest.param([row(30), row(30, 20)], 0, 4000, 2000, id="only marks write"),
        pytest.param([row(30, 20), row(30, 10)], 0, 2000, 4000, id="a later entry is not read"),
    ],
)
def test_what_is_read_written_and_neither(
    requests: Sequence[Body], read: int, written: int, fresh: int
) -> None:
    spent = last(requests)
    assert (spent.read, spent.written, spent.fresh) == (read, written, fresh)


def last(requests: Sequence[Body], rules: Rules | None = None) -> Spent:
    cache = PromptCache(rules)
    return [cache.ask(each) for each in requests][-1]


def test_the_prices() -> None:
    cache = PromptCache()
    assert cache.ask(ASKED).cost == 2000 * 1.25 + 100
    assert cache.ask(ASKED).cost == 2000 * 0.1 + 100
    hours = body(block(2000, "hour", **HOUR), block(1000, "then", **MARK))
    assert cache.ask(hours).cost == 2000 * 2 + 1000 * 1.25
    assert cache.ask(hours).cost == pytest.approx(3000 * 0.1)


@pytest.mark.parametrize(
    ("mark", "moments", "read"),
    [
        (MARK, (0, 299), True),
        (MARK, (0, 300), False),
        (MARK, (0, 299, 598), True),
        (HOUR, (0, 3599), True),
        (HOUR, (0, 3600), False),
    ],
    ids=["in time", "too late", "used meanwhile", "within the hour", "after the hour"],
)
def test_entries_live_for_their_time_after_each_use(
    mark: Mapping[str, object], moments: Sequence[float], read: bool
) -> None:
    cache = PromptCache()
    asked = body(block(2000, "long", **mark))
    assert bool([cache.ask(asked, at).read for at in moments][-1]) is read


def test_reading_a_longer_prefix_keeps_the_marked_shorter_one() -> None:
    cache = PromptCache()
    both = body(LONG, block(2000, "question", **MARK))
    for at in (0, 200, 400):
        cache.ask(both, at)
    assert cache.ask(ASKED, 600).read == 2000


def test_what_is_found_by_looking_back_is_used_as_well() -> None:
    cache = PromptCache()
    cache.ask(row(10, 10), 0)
    cache.ask(row(15, 15), 200)
    assert cache.ask(row(10, 10), 400).read == 2000


def test_who_says_it_is_a_part_of_the_prefix() -> None:
    cache = PromptCache()
    cache.ask({"messages": [{"role": "user", "content": [LONG]}]})
    assert not cache.ask({"messages": [{"role": "assistant", "content": [LONG]}]}).read


TOOL = {"name": "look", "input_schema": {"type": "object"}, "description": "x" * 5000, **MARK}
SYSTEM = [block(2000, "system", **MARK)]


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, ("tools", "system", "messages")),
        ({"tool_choice": {"type": "any"}}, ("tools", "system")),
        ({"thinking": {"type": "disabled"}}, ("tools", "system")),
        ({"system": [block(2000, "else", **MARK)]}, ("tools",)),
        ({"tools": [{**TOOL, "name": "see"}]}, ()),
        ({"model": "n"}, ()),
        ({"max_tokens": 5, "temperature": 1}, ("tools", "system", "messages")),
    ],
)
def test_a_change_leaves_the_entries_before_it(
    change: Mapping[str, object], kept: Sequence[str]
) -> None:
    asked = body(LONG, tools=[TOOL], system=SYSTEM)
    sizes = dict(zip(("tools", "system", "messages"), parts(asked), strict=True))
    assert last([asked, {**asked, **change}]).read == sum(sizes[each] for each in kept)


def parts(asked: Body) -> list[int]:
    """The tokens of tools, of the system prompt, and of the messages."""
    alone = [
        {"tools": asked["tools"]},
        {"system": asked["system"]},
        {"messages": asked["messages"]},
    ]
    return [PromptCache().ask(each).written for each in alone]


def test_a_picture_leaves_those_of_tools_and_system() -> None:
    picture = {"type": "image", "source": {"type": "base64", "data": "x"}}
    asked = body(LONG, system=SYSTEM)
    spent = last([asked, body(LONG, picture, system=SYSTEM)])
    assert (spent.read, spent.written, spent.fresh) == (2000, 2000, PICTURE_TOKENS)


@pytest.mark.parametrize("counted", [False, True])
def test_the_billing_line_is_left_out_unless_it_is_to_count(counted: bool) -> None:
    lines = [
        {"type": "text", "text": f"x-anthropic-billing-header: cc_version=2.{n}"} for n in "ab"
    ]
    requests = [body(LONG, system=[line]) for line in lines]
    assert last(requests, Rules(billing_line=counted)).read == (0 if counted else 2000)


@pytest.mark.parametrize(
    "same",
    [
        {"messages": [{"role": "user", "content": "x" * 8000}, {"role": "user", "content": "y"}]},
        {"messages": [{"content": [dict(reversed(block(2000, "x").items()))], "role": "user"}]},
    ],
    ids=["a text alone is one block", "the order of names is nothing"],
)
def test_equal_prefixes_in_other_words_are_equal(same: Body) -> None:
    cache = PromptCache()
    cache.ask({"messages": [{"role": "user", "content": [block(2000, "x", **MARK)]}]})
    messages = [*same["messages"], {"role": "user", "content": [block(1, "z", **MARK)]}]
    assert cache.ask({"messages": messages}).read == 2000
