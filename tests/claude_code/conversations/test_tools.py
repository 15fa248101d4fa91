"""The client's tools: their names, the MCP server on the pipe, and which are offered."""

from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Message, Text, Tool, ToolCall, ToolChoice
from gateway_claude_code.conversations.mcp_bridge import McpBridge
from gateway_claude_code.conversations.tool_check import check_tools
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.prepare import with_offered_tools
from gateway_claude_code.request.tools.tool_names import ToolNames
from tests.claude_code.claude_code_support import a_request

# -- names --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("look", "look"),
        ("look-up_2", "look-up_2"),
        ("get.time", "get_time"),
        ("files/read", "files_read"),
        ("täglich", "t_glich"),
        ("a b", "a_b"),
    ],
)
def test_a_name_becomes_one_that_the_api_takes(name: str, inner: str) -> None:
    assert ToolNames([name]).to_model(name) == f"mcp__t__{inner}"


@pytest.mark.parametrize("name", ["look", "get.time", "a b", "mcp__t__x"])
def test_a_name_comes_back_as_it_was(name: str) -> None:
    names = ToolNames([name])
    assert names.from_model(names.to_model(name)) == name


def test_names_that_become_alike_stay_apart() -> None:
    names = ToolNames(["a.b", "a b", "a/b"])
    assert [names.inner(name) for name in ("a.b", "a b", "a/b")] == ["a_b", "a_b_2", "a_b_3"]


def test_names_that_become_alike_come_back_as_they_were() -> None:
    names = ToolNames(["a.b", "a b"])
    assert [names.from_model(names.to_model(name)) for name in ("a.b", "a b")] == ["a.b", "a b"]


def test_a_name_that_is_fine_stays_whatever_comes_before_it() -> None:
    assert ToolNames(["a.b", "a_b"]).inner("a_b") == "a_b"


def test_a_name_of_the_history_is_added_when_it_is_met_and_can_be_called_no_more() -> None:
    names = ToolNames(["a.b"])
    assert names.to_model("a b") == "mcp__t__a_b_2"
    assert names.from_model("mcp__t__a_b_2") is None


@pytest.mark.parametrize(
    "name",
    ["look", "mcp__t__other", "mcp__t__", "mcp__other__look", "Bash", "StructuredOutput", ""],
)
def test_a_name_that_the_model_made_up_is_no_tools(name: str) -> None:
    assert ToolNames(["look"]).from_model(name) is None


# -- the MCP server -----------------------------------------------------------------------

TOOLS = (
    Tool(name="look", description="Looks.", schema={"type": "object", "required": []}),
    Tool(name="get.time"),
)


def bridge() -> McpBridge:
    return McpBridge(TOOLS, ToolNames(tool.name for tool in TOOLS))


def asked(method: str, params: dict[str, Any] | None = None, **fields: Any) -> Line:
    message = {"jsonrpc": "2.0", "method": method, "params": params or {}, **fields}
    request = {"subtype": "mcp_message", "server_name": "t", "message": message}
    return {"type": "control_request", "request_id": "r1", "request": request}


def answer_to(line: Line) -> dict[str, Any]:
    response = bridge().take(line)
    assert response is not None
    message: dict[str, Any] = response["response"]["response"]["mcp_response"]
    return message


def test_an_answer_goes_to_the_request_that_asked() -> None:
    response = bridge().take(asked("ping", id=7))
    assert response == {
        "type": "control_response",
        "response": {
            "subtype": "success",
            "request_id": "r1",
            "response": {"mcp_response": {"jsonrpc": "2.0", "id": 7, "result": {}}},
        },
    }


@pytest.mark.parametrize(
    ("params", "version"),
    [({"protocolVersion": "2025-11-25"}, "2025-11-25"), ({}, "2025-06-18")],
)
def test_initialize_takes_the_clis_protocol_version(params: dict[str, Any], version: str) -> None:
    assert answer_to(asked("initialize", params, id=0))["result"]["protocolVersion"] == version


def test_initialize_offers_tools_only() -> None:
    assert answer_to(asked("initialize", id=0))["result"]["capabilities"] == {"tools": {}}


def test_tools_are_listed_as_the_client_gave_them() -> None:
    assert answer_to(asked("tools/list", id=1))["result"]["tools"][0] == {
        "name": "look",
        "description": "Looks.",
        "inputSchema": {"type": "object", "required": []},
        "annotations": {"readOnlyHint": True},
    }


def test_tools_are_listed_by_the_inner_name() -> None:
    tools = answer_to(asked("tools/list", id=1))["result"]["tools"]
    assert [tool["name"] for tool in tools] == ["look", "get_time"]


def test_a_notification_is_acknowledged() -> None:
    assert answer_to(asked("notifications/initialized"))["result"] == {}


def test_a_method_that_is_not_known_is_an_error() -> None:
    error = answer_to(asked("resources/list", id=2))["error"]
    assert error == {"code": -32601, "message": "no method resources/list"}


def call(call_id: str, rpc_id: int) -> dict[str, Any]:
    params = {"name": "look", "arguments": {}, "_meta": {"claudecode/toolUseId": call_id}}
    return asked("tools/call", params, id=rpc_id)


def test_calls_wait_for_their_results_in_whatever_order_they_come() -> None:
    tools = bridge()
    assert tools.take(call("toolu_1", 3)) is None
    assert not tools.waits_for(["toolu_1", "toolu_2"])
    assert tools.take(call("toolu_2", 4)) is None
    assert tools.waits_for(["toolu_2", "toolu_1"])
    assert not tools.waits_for(["toolu_1"])
    lines = tools.answers({"toolu_2": [{"type": "text", "text": "b"}], "toolu_1": []})
    answers = [line["response"]["response"]["mcp_response"] for line in lines]
    assert [(answer["id"], answer["result"]["content"]) for answer in answers] == [
        (4, [{"type": "text", "text": "b"}]),
        (3, []),
    ]
    assert tools.waits_for([])


# -- the tools that the CLI kept -----------------------------------------------------------

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


# -- which tools are offered --------------------------------------------------------------


def offered(request: ChatRequest) -> list[str]:
    return [tool.name for tool in with_offered_tools(request).tools]


THREE = tuple(Tool(name=name) for name in ("a", "b", "c"))


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (ToolChoice(), ["a", "b", "c"]),
        (ToolChoice(mode="none"), ["a", "b", "c"]),
        (ToolChoice(mode="required"), ["a", "b", "c"]),
        (ToolChoice(mode="required", names=("b",)), ["a", "b", "c"]),
        (ToolChoice(mode="required", names=("c", "a")), ["a", "c"]),
        (ToolChoice(mode="auto", names=("b",)), ["b"]),
        (ToolChoice(mode="auto", names=("b", "c")), ["b", "c"]),
    ],
)
def test_a_choice_of_names_leaves_only_those(choice: ToolChoice, names: list[str]) -> None:
    assert offered(a_request(tools=THREE, tool_choice=choice)) == names


def with_calls(**fields: Any) -> ChatRequest:
    said = Message(
        role="assistant",
        parts=(Text(text="ok"), ToolCall(id="2", name="z"), ToolCall(id="1", name="y")),
    )
    request = a_request("Hi", **fields)
    return ChatRequest(model="m", messages=(*request.messages, said), tools=request.tools)


def test_tools_called_in_the_history_stay_known() -> None:
    assert offered(with_calls()) == ["y", "z"]


def test_tools_of_the_history_alone_cant_be_called() -> None:
    assert with_offered_tools(with_calls()).tool_choice == ToolChoice(mode="none")


def test_tools_of_the_history_are_not_added_to_those_offered() -> None:
    assert offered(with_calls(tools=THREE)) == ["a", "b", "c"]


def test_a_request_without_tools_and_calls_stays_as_it_is() -> None:
    request = a_request("Hi", "Hello", "Bye")
    assert with_offered_tools(request) is request
