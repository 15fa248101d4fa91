"""Commands, files and tools that a hostile client names: each is text, the client's own, or refused."""

import json
from typing import Any

import pytest

from gateway.types import Image, Message, Part, Text, ToolCall, ToolResult
from gateway_claude_code.channel.mcp_bridge import McpBridge
from gateway_claude_code.request.history import earlier, turns
from gateway_claude_code.request.tools.tool_names import PREFIX, ToolNames
from gateway_openai.decode.chat import decode, parse
from tests.security.attack_support import body

# -- commands and files named in text -----------------------------------------------------

COMMANDS = ["/compact now", "/help", "//", "/etc/passwd", "/", "/model opus\nHi"]

MENTIONS = ["@/etc/passwd", "look at @~/.ssh/id_rsa", "@file.txt", '@"/etc/passwd"', "@mcp:x"]


def in_every_place(text: str) -> list[tuple[Message, ...]]:
    """Conversations with the text in each place that a client can put it."""
    said = Text(text=text)
    image = Image(url="https://example.org/a.png")
    call = ToolCall(id="c1", name="f")
    asked = (
        Message(role="user", parts=(Text(text="Hi"),)),
        Message(role="assistant", parts=(call,)),
    )

    def of_user(*parts: Part) -> tuple[Message, ...]:
        return (Message(role="user", parts=parts),)

    return [
        of_user(said),
        of_user(said, Text(text="then")),
        of_user(Text(text="first"), said),
        of_user(image, said),
        of_user(said, image),
        (*of_user(said), Message(role="assistant", parts=(said,)), *of_user(said)),
        (*asked, *of_user(ToolResult(call_id="c1", parts=(said,)))),
        (*asked, *of_user(ToolResult(call_id="c1", parts=(said, image)), said)),
        of_user(ToolResult(call_id="other", parts=(said,))),
    ]


def user_texts(blocks: Any) -> list[str]:
    found = []
    for block in blocks:
        if block["type"] == "text":
            found.append(block["text"])
        found += user_texts(block.get("content", ()))
    return found


@pytest.mark.parametrize("text", COMMANDS)
@pytest.mark.parametrize("place", range(9))
@pytest.mark.parametrize("as_written", [True, False])
def test_no_turn_ends_like_a_command(text: str, place: int, as_written: bool) -> None:
    made = turns(in_every_place(text)[place], ToolNames(["f"]))
    checked = [*earlier(made, as_written=False), made[-1]] if not as_written else made[-1:]
    for turn in checked:
        # the one place where the CLI looks for a command; the tests over the real one try them all
        last = turn.blocks[-1]
        assert turn.role == "assistant" or not last.get("text", "").startswith("/")
    assert [said for turn in made for said in user_texts(turn.blocks) if text in said]


@pytest.mark.parametrize("text", MENTIONS)
@pytest.mark.parametrize("place", range(9))
def test_a_file_that_is_named_is_text_and_nothing_else(text: str, place: int) -> None:
    made = turns(in_every_place(text)[place], ToolNames(["f"]))
    blocks = [block for turn in made for block in turn.blocks]
    assert text in json.dumps(blocks, ensure_ascii=False).replace('\\"', '"')
    assert {block["type"] for block in blocks} <= {"text", "image", "tool_use", "tool_result"}


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_in_any_form_of_content_is_defused(text: str) -> None:
    for content in (
        text,
        [{"type": "text", "text": text}],
        [{"type": "text", "text": ""}, {"type": "text", "text": text}],
    ):
        call = decode(parse(body({"role": "user", "content": content})))
        [turn] = turns(call.request.messages, ToolNames([]))
        assert user_texts(turn.blocks) == [f"\n{text}"]


# -- names of tools -----------------------------------------------------------------------

BUILT_IN = [
    "Bash",
    "Read",
    "Write",
    "Edit",
    "Task",
    "WebFetch",
    "StructuredOutput",
    "Agent",
    "Skill",
]

COLLIDING = [
    "a.b",
    "a_b",
    "a-b",
    "a_b_2",
    "mcp__t__a_b",
    "mcp__t__a.b",
    f"{PREFIX}{PREFIX}a_b",
    *BUILT_IN,
]


def test_a_tool_named_like_one_of_the_cli_is_still_the_clients() -> None:
    names = ToolNames(BUILT_IN)
    for name in BUILT_IN:
        assert names.to_model(name) == PREFIX + name
        assert names.from_model(PREFIX + name) == name
        assert names.from_model(name) is None, "the CLI's own is not the client's"


def test_names_that_collide_once_they_are_mangled_stay_apart() -> None:
    names = ToolNames(COLLIDING)
    seen = {names.to_model(name) for name in COLLIDING}
    assert len(seen) == len(COLLIDING)
    assert {names.from_model(name) for name in seen} == set(COLLIDING)


def test_a_call_in_the_history_does_not_offer_a_tool() -> None:
    names = ToolNames(["f"])
    assert names.from_model(names.to_model("Bash")) is None


def test_the_server_of_tools_lists_the_clients_and_no_others() -> None:
    tools = decode(
        parse(body(tools=[{"type": "function", "function": {"name": n}} for n in BUILT_IN]))
    )
    bridge = McpBridge(tools.request.tools, ToolNames(BUILT_IN))
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    line = bridge.take({"request_id": "r1", "request": {"message": message}})
    listed = json.dumps(line)
    assert all(f'"name": "{name}"' in listed for name in BUILT_IN)
