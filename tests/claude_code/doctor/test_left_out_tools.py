"""A CLI that leaves out a tool: the client hears of it before the model is asked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.context import RequestContext
from gateway.errors import InvalidRequest
from gateway.types import Tool
from gateway_claude_code.backend import ClaudeCodeBackend
from gateway_claude_code.doctor.scenarios.rig import TARGET, Cli, Rig, asking, message, rig
from gateway_claude_code.upstream import text_answer

MakeCli = Callable[..., Path]

TAKEN = Tool(name="look", place="tools[0].function.parameters")
LEFT_OUT = Tool(name="odd", place="tools[1].function.parameters")
"""`fake_claude` has no tool of this name."""

FIRST = (message("user", "Hi"),)
LATER = (message("user", "Hi"), message("assistant", "Hello"), message("user", "Look."))


@pytest.mark.parametrize("messages", [FIRST, LATER], ids=["first turn", "history"])
@pytest.mark.parametrize("broken", ["", "tool_list"])
async def test_a_tool_of_the_clients_is_an_error_with_its_place(
    fake_claude: MakeCli, messages: tuple[object, ...], broken: str
) -> None:
    cli = Cli(path=fake_claude(broken), version="9.9.9")
    async with rig(cli) as place:
        request = asking(*messages, tools=(TAKEN, LEFT_OUT))
        with pytest.raises(InvalidRequest) as caught:
            await place.answer(request, script=lambda _: text_answer("Done."))
        assert caught.value.param == "tools[1].function.parameters"
        assert "'odd'" in caught.value.message
        if not broken:
            assert place.requests == []


async def test_a_tool_of_the_gateways_own_is_named_in_a_header(
    fake_claude: MakeCli, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig(Cli(path=fake_claude(), version="9.9.9")) as place:
        ctx = RequestContext(request_id="r1")
        await answered(place, (TAKEN, replace(LEFT_OUT, place=None)), ctx)
        assert [tool["name"] for tool in place.requests[0].tools] == ["mcp__t__look"]
    assert ctx.headers["x-dragoman-adjusted"] == "tools.odd=left_out"
    assert "r1: the CLI does not accept the schemas of the tools odd" in caplog.text


async def answered(place: Rig, tools: tuple[Tool, ...], ctx: RequestContext) -> None:
    backend = ClaudeCodeBackend(place._config, place._cli_environment)
    async with backend.running():
        async for _ in backend.answer(asking(*FIRST, tools=tools), TARGET, ctx):
            pass
