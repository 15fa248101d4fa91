"""A model entry that is an agent: what it may be, how it is started, what of it is shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import BackendFailed, ConfigurationError
from gateway.http.app import create_app
from gateway.testing import build
from gateway.types import PartDelta, ResponseEnd, StreamEvent, Target, Usage, UsageUpdate
from gateway_claude_code.agent import Agent, agent_of, shown
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process import command
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.process.launch import launch_for
from gateway_claude_code.protocol import parse_line
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.events import EventReader

Event = dict[str, Any]


def test_an_agent_has_the_tools_the_folder_and_the_rules_of_its_entry(tmp_path: Path) -> None:
    agent = Agent(
        directory=tmp_path,
        tools=("Read", "Bash"),
        permission_mode="plan",
        allow=("Bash(git log:*)",),
    )
    arguments = command.arguments("m", agent=agent)
    assert arguments[arguments.index("--tools") + 1] == "Read,Bash"
    allowed = arguments.index("--allowedTools")
    assert arguments[allowed + 1 : allowed + 3] == ["mcp__t", "Bash(git log:*)"]
    assert arguments[arguments.index("--permission-mode") + 1] == "plan"
    assert arguments[arguments.index("--setting-sources") + 1] == ""


def test_its_processes_are_nobody_else_s(tmp_path: Path) -> None:
    program = tmp_path / "claude"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    config = ClaudeCodeConfig(command=program)
    environ = {"HOME": str(tmp_path)}
    (tmp_path / "a").mkdir()
    agents = (None, Agent(directory=tmp_path / "a"), Agent(directory=tmp_path, tools=("Read",)))
    launches = {
        launch_for(config, CliEnvironment(environ=environ, overrides={}), "m", agent=agent)
        for agent in agents
    }
    assert len(launches) == 3
    assert {launch.folder for launch in launches} >= {tmp_path / "a", tmp_path}


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ({}, "Field required in .models.m.options.agent.directory"),
        ({"directory": "not/whole"}, "the absolute path of an existing folder"),
        ({"directory": "/nowhere/at/all"}, "the absolute path of an existing folder"),
        ({"directory": "/", "tools": []}, "at least one tool"),
        ({"directory": "/", "tools": ["--x"]}, "in .models.m.options.agent.tools.0"),
        ({"directory": "/", "allow": ["--dangerously"]}, "rules in the form of --allowedTools"),
        (
            {"directory": "/", "permission_mode": "yolo"},
            "in .models.m.options.agent.permission_mode",
        ),
        (
            {"directory": "/", "toools": ["Read"]},
            "unknown key .toools. in .models.m.options.agent.; did you mean .tools",
        ),
    ],
    ids=str,
)
def test_what_can_be_no_agent_stops_the_start(
    tmp_path: Path, agent: dict[str, Any], message: str
) -> None:
    models = {"m": {"backend": "claude-code", "options": {"agent": agent}}}
    with pytest.raises(ConfigurationError, match=rf"models.yaml, line \d+: .*{message}"):
        create_app(build(tmp_path, config={"models": models}))


def test_an_agent_that_searches_the_web_stops_the_start(tmp_path: Path) -> None:
    options = {"agent": {"directory": "/"}, "web_search": {"max_uses": 1}}
    models = {"m": {"backend": "claude-code", "options": options}}
    with pytest.raises(ConfigurationError, match="takes agent or web_search, not both"):
        create_app(build(tmp_path, config={"models": models}))


def test_a_model_without_options_is_no_agent() -> None:
    assert agent_of(Target(model="m", backend="claude-code", name="m")) is None


# -- what it does -------------------------------------------------------------------------


def a_message(*blocks: Event, reason: str) -> Iterator[Event]:
    usage = {"input_tokens": 1, "output_tokens": 2}
    yield {"type": "message_start", "message": {"model": "m", "usage": usage}}
    for index, block in enumerate(blocks):
        text = block.pop("json", None)
        yield {"type": "content_block_start", "index": index, "content_block": block}
        if text:
            delta = {"type": "input_json_delta", "partial_json": text}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


def a_call(name: str, arguments: str = "{}") -> Event:
    return {"type": "tool_use", "id": f"toolu_{name}", "name": name, "json": arguments}


def say(text: str) -> Event:
    return {"type": "text", "text": text}


def read_all(agent: Agent, *messages: Iterator[Event]) -> list[StreamEvent]:
    reader = EventReader(ToolNames(["look"]), None, agent)
    events = [found for message in messages for event in message for found in reader.read(event)]
    assert reader.ended
    return events


def texts(events: list[StreamEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, PartDelta)]


@pytest.mark.parametrize(
    ("activity", "between"),
    [("thinking", ['Read {"file_path": "/a"}\n']), ("off", []), (False, [])],
)
def test_the_answer_goes_on_after_its_own_calls(
    tmp_path: Path, activity: Any, between: list[str]
) -> None:
    events = read_all(
        Agent(directory=tmp_path, activity=activity),
        a_message(say("One."), a_call("Read", '{"file_path":"/a"}'), reason="tool_use"),
        a_message(say("Two."), reason="end_turn"),
    )
    assert texts(events) == ["One.", *between, "Two."]
    assert events[-1] == ResponseEnd(stop_reason="end")
    usage = [event.usage for event in events if isinstance(event, UsageUpdate)]
    assert usage[-1] == Usage(input_tokens=2, output_tokens=4)
    indexes = [event.index for event in events if isinstance(event, PartDelta)]
    assert indexes == list(range(len(indexes)))


def test_it_ends_where_the_client_is_asked(tmp_path: Path) -> None:
    events = read_all(
        Agent(directory=tmp_path),
        a_message(a_call("Read"), reason="tool_use"),
        a_message(a_call("mcp__t__look"), a_call("Read"), reason="tool_use"),
    )
    assert events[-1] == ResponseEnd(stop_reason="tool_calls")


def test_it_does_not_go_on_for_ever(tmp_path: Path) -> None:
    again = (a_message(a_call("Read"), reason="tool_use") for _ in range(3))
    with pytest.raises(BackendFailed, match="kept calling unknown tools"):
        read_all(Agent(directory=tmp_path, max_messages=3), *again)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [("", "Read {}\n"), ('{"a":"ä"}', 'Read {"a": "ä"}\n'), ("{", "Read {\n")],
)
def test_a_call_is_shown_in_a_line(arguments: str, line: str) -> None:
    assert shown("Read", arguments) == line


def test_a_long_call_is_cut() -> None:
    assert len(shown("Read", "x" * 1000)) < 250


def test_a_denied_permission_is_a_line_of_the_protocol() -> None:
    """Seen with 2.1.330: its message is a text, unlike those of all other lines."""
    line = parse_line(b'{"type":"system","subtype":"permission_denied","message":"no"}')
    assert line["subtype"] == "permission_denied"
