"""The shapes of traffic, and what a client would send for them that asks the API itself."""

from collections.abc import Sequence
from typing import Any

import pytest

from bench import talks
from bench.direct import MARK, WAYS, direct
from bench.talks import Played, Talk, shapes

Body = dict[str, Any]
CALL = {"id": "toolu_1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}


def says(*calls: Body, text: str | None = "Yes.") -> Body:
    return {"role": "assistant", "content": text, **({"tool_calls": [*calls]} if calls else {})}


def played(name: str) -> Played:
    """A shape with a model that calls as often as it is meant to, and then answers."""

    def answer(body: Body) -> Body:
        results = [message for message in body["messages"] if message["role"] == "tool"]
        again = "tools" in body and len(results) < talks.TOOL_TURNS
        return says(CALL, text=None) if again else says()

    [shape] = (each for each in shapes() if name in each.name)
    return shape.play(answer)


def sizes(played: Played) -> list[int]:
    """The number of messages in each request, the system prompt among them."""
    return [len(body["messages"]) for body in played.sent]


@pytest.mark.parametrize(
    ("name", "messages", "own"),
    [
        ("chat", [2, 4, 6, 8, 10, 12, 14, 16, 18, 20], range(10)),
        ("agent", range(2, 43, 2), range(21)),
        ("one-shots", [2] * 30, range(30)),
        ("regenerate", [2, 4, 4, 6, 8, 8, 10, 12, 12], [2, 5, 8]),
        ("edit", [2, 4, 6, 8, 8, 10, 12, 14, 16, 12, 14], [4, 9]),
        ("fork", [2, 4, 6, 8, 10, 10, 12, 12, 14, 14], range(4, 10)),
    ],
)
def test_each_shape_sends_what_it_is_named_for(
    name: str, messages: Sequence[int], own: Sequence[int]
) -> None:
    found = played(name)
    assert sizes(found) == [*messages]
    assert [*found.own] == [*own]


def test_a_regenerated_answer_is_asked_for_with_the_same_request() -> None:
    sent = played("regenerate").sent
    assert sent[1] == sent[2]


@pytest.mark.parametrize("name", ["edit", "fork"])
def test_what_parts_has_the_same_past_and_another_question(name: str) -> None:
    found = played(name)
    first = found.own[0]
    one, other = (body["messages"] for body in found.sent[first - (name == "edit") :][:2])
    assert one[:-1] == other[:-1]
    assert one[-1] != other[-1]


def test_all_one_shots_have_one_system_prompt_and_differ_at_once() -> None:
    sent = played("one-shots").sent
    assert len({body["messages"][0]["content"] for body in sent}) == 1
    assert len({body["messages"][1]["content"][:30] for body in sent}) == 30


def test_a_text_has_as_many_tokens_as_it_should() -> None:
    assert [len(talks.words(tokens, "x")) for tokens in (5, 700)] == [20, 2800]


ASKED = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Look."},
        says(CALL, text=None),
        {"role": "tool", "tool_call_id": "toolu_1", "content": "sea"},
        {"role": "user", "content": "And?"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}
    ],
}


def test_a_conversation_becomes_the_api_s() -> None:
    body = direct(ASKED, "no marks")
    assert body["tools"] == [{"name": "f", "description": "d", "input_schema": {}}]
    assert body["system"] == [{"type": "text", "text": "Be brief."}]
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Look."}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sea"},
                {"type": "text", "text": "And?"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("way", "marked"),
    list(zip(WAYS, ([], ["system"], ["system", 2], ["system", 0, 2]), strict=True)),
)
def test_each_way_marks_its_blocks(way: str, marked: list[object]) -> None:
    body = direct(ASKED, way)
    found: list[object] = ["system"] if body["system"][-1].get("cache_control") == MARK else []
    for number, message in enumerate(body["messages"]):
        *before, last = message["content"]
        assert not any("cache_control" in block for block in before)
        found += [number] if last.get("cache_control") == MARK else []
    assert found == marked


def test_a_fork_leaves_the_first_as_it_was() -> None:
    talk = Talk(lambda _: says(), "seed", "system")
    talk.say()
    other = talk.fork()
    other.say()
    assert (len(talk.messages), len(other.messages), len(talk.sent)) == (2, 4, 2)
