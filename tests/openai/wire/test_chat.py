"""What the wire models refuse, and the path that the client is told."""

import pytest

from gateway.errors import InvalidRequest
from gateway_openai.decode.chat import decode, parse
from tests.openai.openai_support import request_body


def user(content: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": content}]}


def function_tool(**fields: object) -> dict[str, object]:
    return {"type": "function", "function": {"name": "f", **fields}}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 5}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{}]}, "messages[0].role"),
        ({"messages": [{"role": 5}]}, "messages[0].role"),
        (user(5), "messages[0].content"),
        (user({"type": "text"}), "messages[0].content"),
        (user(["Hi"]), "messages[0].content[0]"),
        (user([{}]), "messages[0].content[0].type"),
        (user([{"type": "text"}]), "messages[0].content[0].text"),
        (user([{"type": "text", "text": 5}]), "messages[0].content[0].text"),
        (user([{"type": "image_url"}]), "messages[0].content[0].image_url"),
        (user([{"type": "image_url", "image_url": 5}]), "messages[0].content[0].image_url"),
        (user([{"type": "image_url", "image_url": {}}]), "messages[0].content[0].image_url.url"),
        (user([{"type": "file"}]), "messages[0].content[0].file"),
        ({"messages": [{"role": "tool", "content": ""}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "function", "content": ""}]}, "messages[0].name"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]},
            "messages[0].tool_calls[0].id",
        ),
        ({"stream": "true"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.01}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"n": True}, "n"),
        ({"n": "2"}, "n"),
        ({"n": 1.5}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "10"}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"frequency_penalty": 2.5}, "frequency_penalty"),
        ({"presence_penalty": -2.5}, "presence_penalty"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"logprobs": 1}, "logprobs"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": 5}, "stop"),
        ({"stop": [5]}, "stop[0]"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"modalities": "text"}, "modalities"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
        ({"tools": {}}, "tools"),
        ({"tools": [5]}, "tools[0]"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [function_tool(parameters=[])]}, "tools[0].function.parameters"),
        ({"tools": [function_tool(strict="yes")]}, "tools[0].function.strict"),
        ({"tool_choice": 5}, "tool_choice"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": {}}, "tool_choice.type"),
        ({"function_call": 5}, "function_call"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "response_format.json_schema.schema",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
            "response_format.json_schema.name",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_path(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode(parse(request_body(**fields)))
    assert caught.value.status == 400
    assert caught.value.param == param
    assert param in caught.value.message


@pytest.mark.parametrize("missing", ["model", "messages"])
def test_a_missing_field_is_named(missing: str) -> None:
    body = request_body()
    del body[missing]
    with pytest.raises(InvalidRequest, match=f"Missing required parameter: '{missing}'"):
        parse(body)


def test_a_number_without_fraction_is_an_integer() -> None:
    assert parse(request_body(n=2.0)).n == 2


def test_unknown_fields_are_let_through() -> None:
    assert parse(request_body(min_p=5)).model_extra == {"min_p": 5}
