"""Histories that the CLI would change without a word: what reaches the upstream is what was said."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_claude_code.upstream import Answer, MessagesRequest, TextBlock, ToolUseBlock
from gateway_claude_code.upstream.request import result_text
from tests.cells import on_demand
from tests.e2e.bodies import asked_again, chat, function, last_request, post
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

Wire = dict[str, Any]
TOOLS = [function("look", {"type": "object", "properties": {}})]
LIVE = {"plugins": {"claude_code": {"max_spares": 0, "max_live": 1}}}


def says(role: str, content: object) -> Wire:
    return {"role": role, "content": content}


def calls(*ids: str) -> Wire:
    asked = [
        {"id": call_id, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        for call_id in ids
    ]
    return {"role": "assistant", "content": None, "tool_calls": asked}


def gives(call_id: str, content: str) -> Wire:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def ask(gateway: RunningGateway, *messages: Wire, **fields: Any) -> list[tuple[str, list[str]]]:
    """The turns that reach the upstream, each block as its text or its result's."""
    chat(gateway, **{"model": "opus", "tools": TOOLS, "messages": list(messages), **fields})
    assert not gateway.upstream.refusals
    return turns(last_request(gateway))


def turns(request: MessagesRequest) -> list[tuple[str, list[str]]]:
    return [(turn["role"], [_words(block) for block in turn["content"]]) for turn in request.turns]


def _words(block: Wire) -> str:
    match block["type"]:
        case "tool_use":
            return f"call {block['id']}"
        case "tool_result":
            return f"{block['tool_use_id']}: {result_text(block)}"
        case _:
            return str(block.get("text", block["type"]))


HI = says("user", "Hi")


def test_ids_that_repeat(gateway: RunningGateway) -> None:
    found = ask(
        gateway,
        HI,
        calls("call_0", "call_0_1"),  # which the CLI takes for a part of the other
        gives("call_0_1", "two"),
        gives("call_0", "one"),
        calls("call_0", "call_0"),
        gives("call_0", "three"),
        gives("call_0", "four"),
        calls("toolu_01ab"),
        gives("toolu_01ab", "five"),
        calls("toolu01ab"),
        gives("toolu01ab", "six"),
        gives("toolu01ab", "seven"),
    )
    assert [words for role, words in found if role == "user"][1:] == [
        ["call_0: one", "call_0_1-2: two"],
        ["call_0-2: three", "call_0-3: four"],
        ["toolu_01ab: five"],
        ["toolu_01ab-2: six\nseven"],
    ]


def test_system_messages_stay_in_their_places(gateway: RunningGateway) -> None:
    found = ask(
        gateway,
        says("system", "S"),
        says("developer", "D"),
        HI,
        calls("a"),
        says("system", "Psst."),
        gives("a", "R"),
        says("assistant", "Yes"),
        says("system", "Ran command"),
    )
    assert last_request(gateway).system_text == "S\n\nD"
    assert found == [
        ("user", ["Hi"]),
        ("assistant", ["call a"]),
        ("user", ["a: R", "<system>\nPsst.\n</system>"]),
        ("assistant", ["Yes"]),
        ("user", ["<system>\nRan command\n</system>"]),
    ]


def test_what_gptme_sends_after_two_commands(gateway: RunningGateway) -> None:
    """As gptme 0.35.1 sent it (`make test-gptme`), its own system text shortened."""
    recorded = json.loads((Path(__file__).parent / "recorded/gptme.json").read_text("utf-8"))
    chat(gateway, **recorded)
    [system, _, _, *messages] = [message["content"][0]["text"] for message in recorded["messages"]]
    first, one, command, another, result = messages
    assert system in last_request(gateway).system_text
    assert turns(last_request(gateway)) == [
        ("user", [first]),
        ("assistant", [one]),
        ("user", [f"<system>\n{command}\n</system>"]),
        ("assistant", [another]),
        ("user", [f"<system>\n{result}\n</system>"]),
    ]


def test_a_conversation_with_system_messages_goes_on_in_its_process(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(LIVE)
    messages = [says("system", "S"), HI]
    for number in range(3):
        reply = chat(gateway, model="opus", messages=messages)
        messages += [says("assistant", reply.choice.content), says("system", f"Ran {number}")]
    report = httpx.get(f"{gateway.url}/health", timeout=30).json()
    assert report["claude_code"]["taken"] == {"live": 2, "reused": 0, "spare": 0, "cold": 1}
    assert [words for role, words in turns(last_request(gateway)) if role == "user"] == [
        ["Hi"],
        ["<system>\nRan 0\n</system>"],
        ["<system>\nRan 1\n</system>"],
    ]


@pytest.mark.parametrize("text", ["(no content)", "[Empty text removed]", "\ufeff"])
def test_texts_that_the_cli_drops(gateway: RunningGateway, text: str) -> None:
    found = ask(gateway, says("user", text), says("assistant", text), says("user", text))
    assert [[word.strip("\u2060") for word in words] for _, words in found] == [[text]] * 3


CHANGED: list[tuple[TextBlock | ToolUseBlock, Wire]] = [
    (TextBlock(" (no content)\n"), {"text": " (no content)\n\u2060"}),
    (
        ToolUseBlock("mcp__t__look", {"a": 1180520049358479451}, id="call:odd.1"),
        {"id": "callodd1", "input": {"a": "1180520049358479451"}},
    ),
]
"""Answers that the CLI itself drops, changes, or has refused; and what the model is to read."""


def test_an_answer_that_the_cli_would_change_is_not_left_to_its_process(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(LIVE)
    for block, read in CHANGED:
        replies = [Answer(blocks=(block,)), Answer(blocks=(TextBlock("Done."),))]
        gateway.upstream.script = lambda _, replies=replies: replies.pop(0)
        choice = chat(gateway, model="opus", tools=TOOLS, messages=[HI]).choice
        again = asked_again(choice, {call["id"]: "R" for call in choice.tool_calls})
        new = again if choice.tool_calls else [says("assistant", choice.content), HI]
        assert [role for role, _ in ask(gateway, HI, *new)] == ["user", "assistant", "user"]
        [found] = last_request(gateway).turns[1]["content"]
        assert {key: found[key] for key in read} == read


def test_words_after_a_call_that_nobody_answered(gateway: RunningGateway) -> None:
    found = ask(gateway, HI, calls("a"), says("assistant", "See"), says("user", "And?"))
    assert [words for _, words in found][1:] == [
        ["call a"],
        ["a: (no result was given for this call)"],
        ["See"],
        ["And?"],
    ]


def test_texts_that_the_cli_takes_for_commands(gateway: RunningGateway) -> None:
    found = ask(
        gateway,
        says("user", "/compact now"),
        says("assistant", "/b"),
        says("user", [{"type": "text", "text": "/help"}, {"type": "text", "text": "/home/me"}]),
        calls("a"),
        gives("a", "/home/me"),
        says("user", "/help"),
    )
    assert [words for _, words in found] == [
        ["/compact now"],
        ["/b"],
        ["/help", "/home/me"],
        ["call a"],
        ["a: /home/me", "\n/help"],
    ]


@pytest.mark.parametrize("new", [[], on_demand([says("user", "And?")]), [says("system", "Psst.")]])
def test_a_result_that_no_process_remembers_on_an_older_model(
    gateway: RunningGateway, new: list[Wire]
) -> None:
    reply = post(
        gateway,
        model="claude-sonnet-4-5",
        tools=TOOLS,
        messages=[HI, calls("a"), gives("a", "R"), *new],
    )
    assert (reply.status, reply.headers["x-dragoman-adjusted"]) == (200, "reasoning_effort=none")
    assert last_request(gateway).body["thinking"] == {"type": "disabled"}


def test_halves_of_characters_in_a_request(gateway: RunningGateway) -> None:
    called = calls("a")
    called["tool_calls"][0]["function"]["arguments"] = json.dumps({"k\ud83d": "v\ude00"})
    messages = [says("user", "cut \ud83d"), called, gives("a", "\ud83d\ude00\ude00")]
    body = json.dumps({"model": "opus", "tools": TOOLS, "messages": messages})
    response = httpx.post(
        f"{gateway.url}/v1/chat/completions",
        content=body,
        headers={"content-type": "application/json"},
        timeout=30,
    )
    assert response.status_code == 200
    assert [words for _, words in turns(last_request(gateway))] == [
        ["cut \ufffd"],
        ["call a"],
        ["a: \U0001f600\ufffd"],
    ]
    [call] = last_request(gateway).turns[1]["content"]
    assert call["input"] == {"k\ufffd": "v\ufffd"}


@pytest.mark.parametrize("stream", [True, on_demand(False)])
def test_halves_of_characters_in_an_answer(gateway: RunningGateway, stream: bool) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(
            TextBlock("a\ud83d\ude00b\ud83d", ("a\ud83d", "\ude00b", "\ud83d")),
            ToolUseBlock("mcp__t__look", {"t": "\ud83d\ude00"}),
        )
    )
    reply = chat(gateway, model="opus", tools=TOOLS, messages=[HI], stream=stream)
    assert reply.choice.content == "a\U0001f600b\ufffd"
    assert json.loads(reply.choice.tool_calls[0]["arguments"]) == {"t": "\U0001f600"}


def test_parts_of_anthropics_form(gateway: RunningGateway) -> None:
    use = {"type": "tool_use", "id": "a", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": "R"}
    found = ask(
        gateway,
        HI,
        says("assistant", [{"type": "text", "text": "See"}, use]),
        says("user", [result, {"type": "text", "text": "Go on"}]),
    )
    assert [words for _, words in found][1:] == [["See", "call a"], ["a: R", "Go on"]]


def test_a_live_process_finds_the_result_of_a_call_that_a_client_renamed(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(LIVE)
    gateway.upstream.script = lambda request: (
        Answer(blocks=(ToolUseBlock("mcp__t__look", {}),))
        if not request.last_tool_results
        else Answer(blocks=(TextBlock("Done."),))
    )
    reply = chat(gateway, model="opus", tools=TOOLS, messages=[HI])
    again = asked_again(reply.choice, {reply.choice.tool_calls[0]["id"]: "R"})
    again[0]["tool_calls"][0]["id"] = again[1]["tool_call_id"] = "call_0"
    assert chat(gateway, model="opus", tools=TOOLS, messages=[HI, *again]).choice.content == "Done."
    report = httpx.get(f"{gateway.url}/health", timeout=30).json()
    assert report["claude_code"]["taken"]["live"] == 1
