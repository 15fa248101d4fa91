"""What the real CLI sends of its own accord breaks no rule of the stand-in, on any model."""

import json
from pathlib import Path

import pytest

from gateway.types import Image, Message, ResponseFormat, Text
from gateway_claude_code.doctor.scenarios.rig import Cli, Rig, asking, message, prepared, rig
from gateway_claude_code.doctor.scenarios.talk import ask, give, set_up, settled
from gateway_claude_code.doctor.scenarios.tools import NAME
from gateway_claude_code.doctor.scenarios.turns import LOOK
from gateway_claude_code.facts.documented import MODELS
from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)

EACH_TIME = ("claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-5")
pytestmark = [pytest.mark.e2e, pytest.mark.anyio]

REPAIRED_BY_THE_CLI = {"claude-sonnet-5": ["messages.system_role"]}
"""CLI 2.1.330 tries it with a `role: system` message first, and without one from then on."""

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.fixture
def cli(cli_command: str) -> Cli:
    return Cli(path=Path(cli_command), version=None, seconds=30)


def thinks_then_calls(request: MessagesRequest) -> Answer:
    if request.last_tool_results or not request.tools:
        return Answer(blocks=(ThinkingBlock("It is blue."), TextBlock("Blue.")))
    return Answer(blocks=(ThinkingBlock("Let me see."), ToolUseBlock(NAME, {"at": "sea"})))


def refused(place: Rig) -> list[str]:
    return [refusal.rule for refusal in place.upstream.refusals]


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(row.name, marks=() if row.name in EACH_TIME else pytest.mark.on_demand)
        for row in MODELS
    ],
)
async def test_a_history_a_picture_and_calls_of_a_tool(cli: Cli, model: str) -> None:
    picture = Image(data=PIXEL, media_type="image/png")
    told = (
        message("user", "one"),
        message("assistant", "two"),
        Message(role="user", parts=(picture, Text(text="three"))),
    )
    asked = prepared(asking(*told, tools=(LOOK,), system="Be brief."), model)
    again = prepared(asking(message("user", "Again."), tools=(LOOK,)), model)
    async with rig(cli) as place:
        place.upstream.script = thinks_then_calls
        async with place.process(model) as (_, talk):
            await set_up(talk, asked)
            for turn in (asked, again):
                await ask(talk, turn)
                assert await settled(talk)
                await talk.set_parameters(turn.settings(seeded=False, switch=True))
                await give(talk, turn, "blue")
                talk.begin_to_settle(())
                assert await settled(talk)
        assert refused(place) == REPAIRED_BY_THE_CLI.get(model, [])
        assert len(place.requests) == 4 + len(refused(place))


FREE_FORM = {**SCHEMA, "additionalProperties": {"type": "integer"}}
"""One for the CLI's tool: the API's own format can't say it."""


@pytest.mark.parametrize("model", ["opus", "sonnet", "haiku"])
async def test_the_tool_for_an_answer_by_a_schema(cli: Cli, model: str) -> None:
    wanted = ResponseFormat(kind="json_schema", schema=FREE_FORM, name="answer")
    asked = prepared(asking(message("user", "n?"), response_format=wanted, effort="low"), model)
    async with rig(cli) as place:
        place.upstream.script = lambda _: Answer(
            blocks=(ThinkingBlock("Three."), ToolUseBlock("StructuredOutput", {"n": 3}))
        )
        async with place.process(model) as (_, talk):
            await set_up(talk, asked)
            await ask(talk, asked)
        assert refused(place) == []


@pytest.mark.parametrize("model", ["opus", "sonnet", "haiku"])
async def test_a_format_in_the_extra_body(cli: Cli, model: str) -> None:
    asked = prepared(asking(message("user", "n?")), model)
    extra = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    async with rig(cli) as place:
        async with place.process(model) as (_, talk):
            await set_up(talk, asked)
            await talk.set_parameters({"env": {"CLAUDE_CODE_EXTRA_BODY": json.dumps(extra)}})
            await ask(talk, asked)
        assert refused(place) == []
        assert place.requests[0].body["output_config"]["format"] == extra["output_config"]["format"]
