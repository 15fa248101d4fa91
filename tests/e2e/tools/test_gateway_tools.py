"""Tools that the gateway runs itself, over the real CLI."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    TextBlock,
    ToolUseBlock,
    in_order,
    text_answer,
)
from tests.e2e.bodies import HI, asked_again, blocks, chat, function
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

PLUGIN = '''
from gateway import hookimpl

def clock(zone: str) -> str:
    """What time it is in a zone."""
    return f"noon in {zone}"

@hookimpl
def gateway_register_tools(register):
    register(clock)
'''


@pytest.fixture
def serving(start_gateway: StartGateway, tmp_path: Path) -> RunningGateway:
    """A gateway with a tool of a plugin's own, whose processes wait."""
    plugins = tmp_path / "gateway" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "clock.py").write_text(PLUGIN, encoding="utf-8")
    return start_gateway(config={"plugins": {"tools": {"offer": {"claude-sonnet-*": ["clock"]}}}})


def test_a_tool_of_an_mcp_server(start_gateway: StartGateway) -> None:
    """`mcp-server-time`, as it is published, started with the gateway."""
    server = {"command": [str(Path(sys.executable).parent / "mcp-server-time")]}
    tools = {"offer": {"*": ["time_*"]}, "mcp_servers": {"time": server}}
    gateway = start_gateway(config={"plugins": {"tools": tools}})
    call = ToolUseBlock("mcp__t__time_convert_time", CONVERSION)
    gateway.upstream.script = in_order(called(call), text_answer("In the evening."))
    assert chat(gateway).choice.content == "One moment. In the evening."
    first, second = gateway.upstream.requests
    assert {tool["name"] for tool in first.tools} == {
        "mcp__t__time_get_current_time",
        "mcp__t__time_convert_time",
    }
    assert json.loads(results(second)[0])["target"]["timezone"] == "Asia/Tokyo"
    health = httpx.get(f"{gateway.url}/health").json()
    assert health["tools"] == {"status": "ok", "mcp_servers": {"time": "connected"}}


CONVERSION = {"source_timezone": "UTC", "time": "10:30", "target_timezone": "Asia/Tokyo"}


def called(*calls: ToolUseBlock, text: str = "One moment. ") -> Answer:
    return Answer(blocks=(TextBlock(text), *calls))


def session(request: MessagesRequest) -> str:
    return str(json.loads(request.body["metadata"]["user_id"])["session_id"])


def results(request: MessagesRequest) -> list[Any]:
    return [block["content"][0]["text"] for block in request.last_tool_results]


CLOCK = ToolUseBlock("mcp__t__clock", {"zone": "CET"})
LOOK = ToolUseBlock("mcp__t__look", {"at": "sky"})


def test_a_model_calls_a_tool_of_the_gateway_and_goes_on(serving: RunningGateway) -> None:
    serving.upstream.script = in_order(called(CLOCK), text_answer("It is noon."))
    choice = chat(serving).choice
    assert (choice.content, choice.finish_reason) == ("One moment. It is noon.", "stop")
    assert choice.tool_calls == []
    first, second = serving.upstream.requests
    assert [tool["name"] for tool in first.tools] == ["mcp__t__clock"]
    assert results(second) == ["noon in CET"]
    assert session(first) == session(second)


def test_a_tool_of_the_gateway_and_one_of_the_client_in_one_turn(serving: RunningGateway) -> None:
    """The client sees its own call alone; the same process goes on with the results of both."""
    again = ToolUseBlock("mcp__t__clock", {"zone": "UTC"})
    serving.upstream.script = in_order(
        called(CLOCK), called(again, LOOK, text="Now look."), text_answer("Blue at noon.")
    )
    tools = [function("look")]
    choice = chat(serving, stream=True, tools=tools).choice
    assert (choice.content, choice.finish_reason) == ("One moment. Now look.", "tool_calls")
    [call] = choice.tool_calls
    assert (call["name"], json.loads(call["arguments"])) == ("look", {"at": "sky"})

    messages = [*HI, *asked_again(choice, {call["id"]: "blue"})]
    assert chat(serving, stream=True, tools=tools, messages=messages).choice.content == (
        "Blue at noon."
    )
    first, second, third = serving.upstream.requests
    assert results(second) == ["noon in CET"]
    assert sorted(results(third)) == ["blue", "noon in UTC"]
    assert session(first) == session(second) == session(third)
    said = [block["text"] for turn in third.turns for block in blocks(turn) if "text" in block]
    assert said[-2:] == ["One moment. ", "Now look."]
