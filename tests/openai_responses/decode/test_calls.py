"""Calls and results of every kind of tool, as they come back from clients."""

import base64
import json
from typing import Any

import pytest

from gateway.types import Document, Image, Part, Text, ToolCall, ToolResult
from gateway_openai_responses.decode.request import decode, parse
from tests.gateway.content.media_support import PNG
from tests.openai_responses.responses_support import request_body

PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()


def parts(*items: dict[str, Any]) -> list[Part]:
    """All parts but the question's."""
    asked = {"role": "user", "content": "a"}
    [_, *messages] = decode(parse(request_body(input=[asked, *items]))).requests[0].messages
    return [part for message in messages for part in message.parts]


CALLS: Any = [
    (
        {"type": "function_call", "name": "f", "arguments": '{"a": 1}', "namespace": "mcp__x__"},
        "mcp__x__f",
        {"a": 1},
    ),
    ({"type": "function_call", "name": "f"}, "f", None),
    ({"type": "custom_tool_call", "name": "p", "input": 'a\n"é"'}, "p", {"input": 'a\n"é"'}),
    (
        {
            "type": "local_shell_call",
            "action": {"type": "exec", "command": ["ls"], "env": {}, "timeout_ms": 5},
        },
        "local_shell",
        {"command": ["ls"], "timeout_ms": 5},
    ),
    (
        {"type": "shell_call", "action": {"commands": ["ls", "pwd"], "max_output_length": 9}},
        "shell",
        {"commands": ["ls", "pwd"], "max_output_length": 9},
    ),
    (
        {
            "type": "apply_patch_call",
            "status": "completed",
            "operation": {"type": "delete_file", "path": "a"},
        },
        "apply_patch",
        {"operation": {"type": "delete_file", "path": "a"}},
    ),
    (
        {"type": "tool_search_call", "execution": "client", "arguments": {"query": "x"}},
        "tool_search",
        {"query": "x"},
    ),
]


@pytest.mark.parametrize(("item", "name", "arguments"), CALLS)
def test_a_call(item: dict[str, Any], name: str, arguments: Any) -> None:
    [call, *_] = parts({**item, "call_id": "c1"})
    assert isinstance(call, ToolCall)
    assert (call.id, call.name) == ("c1", name)
    assert json.loads(call.arguments or "null") == arguments


CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}


@pytest.mark.parametrize("kind", ["function_call_output", "custom_tool_call_output"])
@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", ()),
        ("done", (Text(text="done"),)),
        ([{"type": "input_text", "text": "done"}], (Text(text="done"),)),
        (
            [
                {"type": "input_image", "image_url": PICTURE, "detail": "auto"},
                {"type": "input_file", "file_data": "data:text/plain,x", "filename": "a.txt"},
            ],
            (
                Image(media_type="image/png", data=PICTURE.partition(",")[2]),
                Document(media_type="text/plain", data="x", title="a.txt"),
            ),
        ),
        ({"content": "done", "success": True}, (Text(text="done"),)),
    ],
)
def test_an_output(kind: str, output: Any, expected: tuple[Part, ...]) -> None:
    [_, result] = parts(CALL, {"type": kind, "call_id": "c1", "output": output})
    assert result == ToolResult(call_id="c1", parts=expected)


def test_an_output_may_say_that_the_call_failed() -> None:
    output = {"content": "no", "success": False}
    [_, result] = parts(CALL, {"type": "function_call_output", "call_id": "c1", "output": output})
    assert result == ToolResult(call_id="c1", parts=(Text(text="no"),), is_error=True)


@pytest.mark.parametrize(
    ("item", "text", "failed"),
    [
        ({"type": "local_shell_call_output", "id": "c1", "output": "out"}, "out", False),
        ({"type": "local_shell_call_output", "call_id": "c1", "output": "out"}, "out", False),
        (
            {
                "type": "shell_call_output",
                "call_id": "c1",
                "output": [
                    {
                        "stdout": "a",
                        "stderr": "",
                        "outcome": {"type": "exit", "exit_code": 1},
                    }
                ],
            },
            '[{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 1}}]',
            False,
        ),
        (
            {"type": "apply_patch_call_output", "call_id": "c1", "status": "failed"},
            "The patch failed.",
            True,
        ),
        (
            {
                "type": "apply_patch_call_output",
                "call_id": "c1",
                "status": "completed",
                "output": "ok",
            },
            "ok",
            False,
        ),
        (
            {
                "type": "tool_search_output",
                "call_id": "c1",
                "execution": "client",
                "tools": [
                    {"type": "function", "name": "g"},
                    {
                        "type": "namespace",
                        "name": "space",
                        "tools": [{"type": "function", "name": "h"}],
                    },
                ],
            },
            "Tools that can be called now: g, space__h",
            False,
        ),
        (
            {"type": "tool_search_output", "call_id": "c1", "execution": "client", "tools": []},
            "No tool was found.",
            False,
        ),
    ],
)
def test_a_result_of_a_built_in_tool(item: dict[str, Any], text: str, failed: bool) -> None:
    [_, result] = parts(CALL, item)
    assert result == ToolResult(call_id="c1", parts=(Text(text=text),), is_error=failed)
