"""The tools that the CLI kept, compared with those that it was given."""

import pytest

from gateway.errors import InvalidRequest
from gateway.types import Tool
from gateway_claude_code.channel.mcp_bridge import McpBridge
from gateway_claude_code.conversations.tool_check import check_tools
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.tools.tool_names import ToolNames

OFFERED = (
    Tool(name="a.b", place="tools[0].function.parameters"),
    Tool(name="c", place="tools[1].input_schema"),
    Tool(name="own"),
)


def offering() -> McpBridge:
    return McpBridge(OFFERED, ToolNames(tool.name for tool in OFFERED))


@pytest.mark.parametrize(
    ("kept", "param"),
    [
        (["mcp__t__own", "mcp__t__c"], "tools[0].function.parameters"),
        (["mcp__t__a_b"], "tools[1].input_schema"),
        ([], "tools[0].function.parameters"),
    ],
)
def test_a_tool_that_the_cli_left_out_is_an_error(kept: list[str], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        offering().check(kept)
    assert caught.value.param == param
    assert param in caught.value.message


@pytest.mark.parametrize("left_out", [(), ("own",)])
def test_a_tool_of_the_gateways_own_is_only_noted(left_out: tuple[str, ...]) -> None:
    tools = offering()
    kept = ["Bash", "mcp__t__a_b", "mcp__t__c", *([] if left_out else ["mcp__t__own"])]
    tools.check(kept)
    assert tools.left_out == left_out


NOT_YET = {"response": {"mcpServers": []}}

PENDING = {"response": {"mcpServers": [{"name": "t", "status": "pending"}]}}

CONNECTED = {
    "response": {
        "mcpServers": [
            {"name": "other", "status": "connected", "tools": [{"name": "c"}]},
            {"name": "t", "status": "connected", "tools": [{"name": "a_b"}, {"name": "own"}]},
        ]
    }
}


@pytest.mark.parametrize("before", [[], [NOT_YET], [NOT_YET, PENDING]])
async def test_the_tools_are_compared_once_the_cli_has_them(before: list[Line]) -> None:
    answers = iter([*before, CONNECTED])

    async def ask(_: object) -> Line:
        return next(answers)

    with pytest.raises(InvalidRequest) as caught:
        await check_tools(ask, offering())
    assert caught.value.param == "tools[1].input_schema"


@pytest.mark.parametrize("answer", [{"subtype": "error"}, {"response": {}}, {}])
async def test_a_cli_that_does_not_list_its_tools_is_not_asked_again(answer: Line) -> None:
    answers = iter([answer])

    async def ask(_: object) -> Line:
        return next(answers)

    await check_tools(ask, offering())
