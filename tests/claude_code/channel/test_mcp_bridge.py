"""The client's tools as an MCP server on the CLI's pipe."""

from typing import Any

import pytest

from gateway.types import Tool
from gateway_claude_code.channel.mcp_bridge import McpBridge
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.tools.tool_names import ToolNames

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
