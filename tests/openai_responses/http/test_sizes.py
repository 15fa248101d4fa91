"""How many things a request may hold, and which field the error names."""

from typing import Any

import pytest

from gateway.config.settings import LimitsConfig
from gateway.errors import InvalidRequest
from gateway_openai_responses.http.sizes import check_sizes

MESSAGE = {"role": "user", "content": [{"type": "input_text", "text": "a"}]}
PICTURE = {"role": "user", "content": [{"type": "input_image"}, {"type": "input_file"}]}
OUTPUT = {"type": "function_call_output", "output": [{"type": "input_image"}] * 2}
CALL = {"type": "function_call", "arguments": '{"a": [1, 2, 3, 4]}'}
TOOL = {"type": "function", "name": "f"}
SCHEMA = {"properties": {"a": {}, "b": {}, "c": {}}}


@pytest.mark.parametrize(
    ("limit", "body", "param"),
    [
        ({"messages": 2}, {"input": [MESSAGE] * 3}, "input"),
        ({"parts": 2}, {"input": [MESSAGE] * 3}, "input"),
        ({"images": 1}, {"input": [PICTURE]}, "input"),
        ({"images": 1}, {"input": [OUTPUT]}, "input"),
        ({"tools": 1}, {"tools": [TOOL] * 2}, "tools"),
        ({"tools": 2}, {"tools": [{"type": "namespace", "tools": [TOOL] * 2}]}, "tools"),
        ({"tools": 2}, {"input": [{"type": "additional_tools", "tools": [TOOL] * 3}]}, "tools"),
        (
            {"tools": 1},
            {"tool_choice": {"type": "allowed_tools", "tools": [TOOL] * 2}},
            "tool_choice.tools",
        ),
        ({"json_values": 6}, {"input": [CALL, CALL]}, "input[1].arguments"),
        (
            {"schema_properties": 2},
            {"text": {"format": {"schema": SCHEMA}}},
            "text.format.schema",
        ),
    ],
)
def test_too_many_things(limit: dict[str, int], body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest, match=f"limits.{next(iter(limit))}") as caught:
        check_sizes(body, [], LimitsConfig(**limit))
    assert caught.value.param == param
    check_sizes(body, [], LimitsConfig())


def test_earlier_items_count_too() -> None:
    with pytest.raises(InvalidRequest, match=r"limits\.messages"):
        check_sizes({"input": [MESSAGE]}, [MESSAGE] * 2, LimitsConfig(messages=2))


@pytest.mark.parametrize(
    "body", [{"input": 1, "tools": "x"}, {"input": [1, {"content": [1]}], "tools": [1], "text": 1}]
)
def test_values_of_the_wrong_type_are_not_counted(body: dict[str, Any]) -> None:
    check_sizes(body, [], LimitsConfig())
