"""When a request continues an earlier one: the rules, and a long random walk against a model of them."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from gateway.types import (
    ChatRequest,
    Client,
    Document,
    Image,
    Message,
    Part,
    ResponseFormat,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from gateway_claude_code.conversations.continuation import Continuation, continuation
from gateway_claude_code.request.prepare import prepare
from tests.cells import on_demand
from tests.claude_code.claude_code_support import TARGET, a_request

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
LOOK = Tool(name="look", description="Looks.", schema=SCHEMA)


def user(*parts: Part) -> Message:
    return Message(role="user", parts=parts)


def assistant(*parts: Part) -> Message:
    return Message(role="assistant", parts=parts)


def call(call_id: str, arguments: str = "{}", name: str = "look") -> ToolCall:
    return ToolCall(id=call_id, name=name, arguments=arguments)


def result(call_id: str, text: str = "sea") -> ToolResult:
    return ToolResult(call_id=call_id, parts=(Text(text=text),))


def a_chat(*messages: Message, **fields: Any) -> ChatRequest:
    return replace(a_request(**fields), messages=messages)


def step(request: ChatRequest) -> Continuation | None:
    return continuation(prepare(request, TARGET))


def key_after(request: ChatRequest, answer: Message) -> bytes:
    parked = any(isinstance(part, ToolCall) for part in answer.parts)
    return prepare(request, TARGET).key((*request.messages, answer), parked=parked)


HI, HELLO, MORE = user(Text(text="Hi")), assistant(Text(text="Hello")), user(Text(text="More"))
CALLED = assistant(Text(text="So:"), call("a1", '{"x": 1.0, "y": [2]}'), call("a2"))
RESULTS = (user(result("a1")), user(result("a2", "wind")))


def test_what_goes_on_is_found_and_only_the_new_is_sent() -> None:
    found = step(a_chat(HI, HELLO, MORE))
    assert found is not None
    assert found.key == key_after(a_chat(HI), HELLO)
    assert found.turn is not None
    assert found.turn.blocks == ({"type": "text", "text": "More"},)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other-name"},
        {"extensions": {"plugin": 1}},
        {"client": Client(user_agent="another/1.0")},
    ],
)
def test_what_makes_no_difference(change: dict[str, Any]) -> None:
    found = step(replace(a_chat(HI, HELLO, MORE), **change))
    assert found is not None
    assert found.key == key_after(a_chat(HI), HELLO)


@pytest.mark.parametrize(
    "change",
    [
        {"system": "Be brief."},
        {"tools": (LOOK,)},
        {"client": Client(key="bob")},
        {"client": Client(address="10.0.0.1")},
        {"effort": "low"},
        {"sampling": Sampling(temperature=0.5)},
        {"sampling": Sampling(max_output_tokens=10)},
        {"sampling": Sampling(stop=("x",))},
        {"response_format": ResponseFormat(kind="json_object")},
        {"response_format": ResponseFormat(kind="json_schema", schema=SCHEMA)},
    ],
)
def test_what_makes_another_conversation(change: dict[str, Any]) -> None:
    found = step(replace(a_chat(HI, HELLO, MORE), **change))
    assert found is not None
    assert found.key != key_after(a_chat(HI), HELLO)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (Client(key="ada", address="10.0.0.1"), Client(key="ada", address="10.0.0.2"), True),
        (Client(key="ada", address="10.0.0.1"), Client(key="bob", address="10.0.0.1"), False),
        (Client(address="10.0.0.1"), Client(address="10.0.0.2"), False),
        (Client(key="10.0.0.1"), Client(address="10.0.0.1"), False),
    ],
    ids=["moved", "another key", "another address", "a key like an address"],
)
def test_with_a_key_the_address_makes_no_difference(
    before: Client, after: Client, same: bool
) -> None:
    found = step(replace(a_chat(HI, HELLO, MORE), client=after))
    assert found is not None
    assert (found.key == key_after(replace(a_chat(HI), client=before), HELLO)) is same


@pytest.mark.parametrize(
    "messages",
    [
        (HI,),
        (HI, HELLO),
        (HI, HELLO, user(result("x"), Text(text="More"))),
        (HI, CALLED, MORE),
        (HI, CALLED, RESULTS[0]),
        (HI, CALLED, *RESULTS, MORE),
        (HI, CALLED, user(result("a1"), result("a2"), Text(text="and"))),
        (HI, CALLED, user(result("a1"), result("a3"))),
        (HI, CALLED, user(result("a1"), result("a1"))),
        (HI, CALLED, user(result("a1", " "), result("a2"))),
        (HI, CALLED, user(result("a1", "x" * 50_001), result("a2"))),
        (HI, CALLED, user(result("a1"), ToolResult(call_id="a2", is_error=True))),
        (
            HI,
            CALLED,
            user(result("a1"), ToolResult(call_id="a2", parts=(Image(url="https://x/u"),))),
        ),
        (HI, assistant(call("a"), call("a")), user(result("a"))),
    ],
)
def test_what_can_only_be_started_anew(messages: tuple[Message, ...]) -> None:
    assert step(a_chat(*messages, tools=(LOOK,))) is None


def test_results_come_in_any_order_and_with_other_parameters() -> None:
    asked = a_chat(HI, tools=(LOOK,), tool_choice=ToolChoice(mode="required"))
    again = a_chat(HI, CALLED, *reversed(RESULTS), tools=(LOOK,), sampling=Sampling(top_k=3))
    found = step(again)
    assert found is not None
    assert found.key == key_after(asked, CALLED)
    assert found.results == (
        [{"type": "text", "text": "sea"}],
        [{"type": "text", "text": "wind"}],
    )


LONG = (
    user(Text(text="See:"), Image(media_type="image/png", data="AAAA")),
    CALLED,
    *RESULTS,
    assistant(Text(text="Fine.")),
)


@pytest.mark.parametrize(
    "rewritten",
    [
        (LONG[0], assistant(Text(text="S"), Text(text="o:"), *CALLED.parts[1:]), *LONG[2:]),
        (LONG[0], assistant(Thinking(text="hm"), *CALLED.parts), *LONG[2:]),
        (LONG[0], CALLED, RESULTS[1], RESULTS[0], LONG[4]),
        (LONG[0], CALLED, user(result("a1"), result("a2", "wind")), LONG[4]),
        (LONG[0], assistant(Text(text="So:"), call("1", '{"y":[2],"x":1}'), call("2", "")),
         user(result("2", "wind"), result("1")), LONG[4]),
        (*LONG[:4], assistant(Text(text=""), Text(text="Fine."))),
    ],
)  # fmt: skip
def test_a_rewritten_history_is_the_same(rewritten: tuple[Message, ...]) -> None:
    found = step(a_chat(*rewritten, MORE, tools=(LOOK,)))
    assert found is not None
    assert found.key == key_after(a_chat(*LONG[:4], tools=(LOOK,)), LONG[4])


@pytest.mark.parametrize(
    "changed",
    [
        (user(Text(text="See:"), Image(media_type="image/png", data="AAAB")), *LONG[1:]),
        (user(Text(text="See:"), Image(url="https://x/AAAA")), *LONG[1:]),
        (user(Text(text="See:"), Document(media_type="text/plain", data="AAAA")), *LONG[1:]),
        (user(Image(media_type="image/png", data="AAAA"), Text(text="See:")), *LONG[1:]),
        (LONG[0], assistant(Text(text="So"), *CALLED.parts[1:]), *LONG[2:]),
        (LONG[0], assistant(CALLED.parts[0], CALLED.parts[2], CALLED.parts[1]), *LONG[2:]),
        (LONG[0], assistant(CALLED.parts[0], call("a1", '{"x": 1, "y": [3]}'), call("a2")),
         *LONG[2:]),
        (LONG[0], assistant(CALLED.parts[0], call("a1", '{"x": "1.0", "y": [2]}'), call("a2")),
         *LONG[2:]),
        (LONG[0], assistant(CALLED.parts[0], call("a1", "not JSON"), call("a2")), *LONG[2:]),
        (LONG[0], CALLED, user(result("a2")), user(result("a1", "wind")), LONG[4]),
        (LONG[0], CALLED, user(result("a1"), replace(result("a2", "wind"), is_error=True)),
         LONG[4]),
        (*LONG[:4], assistant(Text(text="Fine. "))),
        (HI, HELLO, *LONG),
    ],
)  # fmt: skip
def test_a_changed_history_is_another(changed: tuple[Message, ...]) -> None:
    found = step(a_chat(*changed, MORE, tools=(LOOK,)))
    assert found is None or found.key != key_after(a_chat(*LONG[:4], tools=(LOOK,)), LONG[4])


# -- a long random walk -------------------------------------------------------------------

Turn = tuple[Any, ...]
"""A turn of the model: ("user", text), ("said", text), ("called", arguments, …), ("gave", text, …)."""

WORDS = ("a", "b", "a ", "A", "ab")


def random_history(chance: random.Random, turns: int) -> list[Turn]:
    history: list[Turn] = [("user", chance.choice(WORDS))]
    while len(history) < turns:
        match history[-1]:
            case ("called", *calls):
                history.append(("gave", *(chance.choice(WORDS) for _ in calls)))
            case ("user" | "gave", *_) if chance.random() < 0.6:
                history.append(("said", chance.choice(WORDS)))
            case ("user" | "gave", *_):
                numbers = [chance.randint(0, 2) for _ in range(chance.randint(1, 3))]
                history.append(("called", *numbers))
            case _:
                history.append(("user", chance.choice(WORDS)))
    return history


def as_messages(history: list[Turn], chance: random.Random) -> tuple[Message, ...]:
    """The history as some client would write it."""
    prefix = chance.choice(["call_", "x", "toolu"])
    messages: list[Message] = []
    ids: list[str] = []
    for number, turn in enumerate(history):
        match turn:
            case ("user", text):
                messages.append(user(Text(text=text)))
            case ("said", text):
                cut = chance.randint(0, len(text.strip()))
                messages.append(assistant(*_in_two(text, cut)))
            case ("called", *values):
                ids = [f"{prefix}{number}n{index}" for index in range(len(values))]
                spacing = chance.choice([None, 1])
                calls = [
                    call(key, json.dumps({"v": chance.choice([value, float(value)]), "w": None},
                                         indent=spacing))
                    for key, value in zip(ids, values, strict=True)
                ]  # fmt: skip
                messages.append(assistant(*calls))
            case ("gave", *texts):
                results = [result(key, text) for key, text in zip(ids, texts, strict=True)]
                chance.shuffle(results)
                messages.extend(user(each) for each in results)
    return tuple(messages)


def _in_two(text: str, cut: int) -> tuple[Text, ...]:
    """A list of parts for a text; no part is blank, as such are left out of what the model sees."""
    pieces = (text[:cut], text[cut:])
    if any(piece and not piece.strip() for piece in pieces):
        pieces = (text,)
    return tuple(Text(text=piece) for piece in pieces)


def edited(history: list[Turn], chance: random.Random) -> list[Turn]:
    """The history with one change, which may come to nothing."""
    changed = list(history)
    place = chance.randrange(len(changed))
    match chance.choice(["text", "drop", "swap", "cut"]), changed[place]:
        case "text", (kind, *values):
            values[chance.randrange(len(values))] = (
                chance.randint(0, 2) if kind == "called" else chance.choice(WORDS)
            )
            changed[place] = (kind, *values)
        case "drop", ("user", _) if 0 < place < len(changed) - 1:
            del changed[place : place + 2]
        case "swap", (_, *values):
            chance.shuffle(values)
            changed[place] = (changed[place][0], *values)
        case "cut", _:
            del changed[place + 1 :]
    return changed


def well_formed(history: list[Turn]) -> bool:
    """Whether every turn follows on one that it can follow on."""
    follows = {"user": {"said"}, "said": {"user", "gave"}, "called": {"user", "gave"},
               "gave": {"called"}}  # fmt: skip
    lengths = all(
        len(after) == len(before) for before, after in pairwise(history) if after[0] == "gave"
    )
    kinds = [turn[0] for turn in history]
    order = all(before in follows[after] for before, after in pairwise(kinds))
    return bool(history) and kinds[0] == "user" and order and lengths


CHANGES: list[Callable[[list[Turn], random.Random], list[Turn]]] = [
    edited,
    lambda history, _: history,
    lambda history, chance: random_history(chance, len(history)),
]


@pytest.mark.parametrize("number", [2000, on_demand(10_000)])
def test_thousands_of_continuations_against_a_model_of_the_rules(number: int) -> None:
    chance = random.Random(20)
    taken = fresh = 0
    for _ in range(number):
        answered = random_history(chance, chance.randint(2, 7))
        while answered[-1][0] not in ("said", "called"):
            answered = random_history(chance, chance.randint(2, 7))
        asked = chance.choice(CHANGES)(answered, chance)
        if not well_formed(asked):
            continue
        match asked[-1]:
            case ("said", _):
                asked = [*asked, ("user", "go on")]
            case ("called", *calls):
                asked = [*asked, ("gave", *("r" for _ in calls))]
        before = as_messages(answered, chance)
        key = key_after(a_chat(*before[:-1], tools=(LOOK,)), before[-1])
        found = step(a_chat(*as_messages(asked, chance), tools=(LOOK,)))
        expected = asked[:-1] == answered
        assert (found is not None and found.key == key) is expected, (answered, asked)
        taken += expected
        fresh += not expected
    assert taken > number / 5
    assert fresh > number / 5
