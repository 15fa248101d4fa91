"""How many things a request may hold, and how deep it may be: each limit has a key."""

from typing import Any

import pytest

from gateway.config.settings import LimitsConfig
from gateway.errors import InvalidRequest
from gateway_openai.http.sizes import check_sizes

LIMITS = LimitsConfig(
    messages=3,
    parts=4,
    images=2,
    tools=2,
    choices=6,
    schema_properties=3,
    schema_enum_values=4,
    schema_characters=20,
)

TEXT = {"type": "text", "text": "Hi"}

IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}

FILE = {"type": "file", "file": {"file_data": "SGk="}}

DOCUMENT = {"type": "document", "source": {"type": "text", "data": "Hi"}}


def gave(*parts: object) -> dict[str, object]:
    return {"type": "tool_result", "tool_use_id": "a", "content": list(parts)}


def said(*parts: object) -> dict[str, object]:
    return {"role": "user", "content": list(parts)}


@pytest.mark.parametrize(
    ("body", "key", "param"),
    [
        ({"messages": [said()] * 4}, "messages", "messages"),
        ({"messages": [said(TEXT, TEXT, TEXT), said(TEXT, TEXT)]}, "parts", "messages"),
        ({"messages": [said(*["x"] * 5)]}, "parts", "messages"),
        ({"messages": [said(IMAGE, FILE, IMAGE)]}, "images", "messages"),
        (
            {"messages": [said(IMAGE, DOCUMENT, {**DOCUMENT, "type": "image"})]},
            "images",
            "messages",
        ),
        ({"messages": [said(gave(IMAGE, FILE), IMAGE)]}, "images", "messages"),
        ({"messages": [said(gave(*[TEXT] * 4))]}, "parts", "messages"),
        ({"tools": [{}] * 3}, "tools", "tools"),
        ({"functions": [{}] * 3}, "tools", "functions"),
        (
            {"tool_choice": {"allowed_tools": {"tools": [{}] * 3}}},
            "tools",
            "tool_choice.allowed_tools.tools",
        ),
        ({"tool_choice": {"tools": [{}] * 3}}, "tools", "tool_choice.tools"),
        ({"n": 7}, "choices", "n"),
        ({"n": 7.0}, "choices", "n"),
        ({"prompt": ["a"] * 7}, "choices", "prompt"),
        ({"prompt": ["a", "b"], "n": 4}, "choices", "prompt"),
    ],
)
def test_more_than_the_limit_is_refused_by_its_key(
    body: dict[str, Any], key: str, param: str
) -> None:
    with pytest.raises(InvalidRequest, match=rf"\(limits\.{key}\)") as caught:
        check_sizes(body, LIMITS)
    assert caught.value.param == param


def answering(schema: object) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}


@pytest.mark.parametrize(
    ("schema", "key"),
    [
        ({"properties": {name: {} for name in "abcd"}}, "schema_properties"),
        ({"properties": {"a": {"properties": {"b": {}, "c": {"properties": {"d": {}}}}}}},
         "schema_properties"),
        ({"$defs": {"x": {"properties": {name: {} for name in "abcd"}}}}, "schema_properties"),
        ({"enum": list(range(5))}, "schema_enum_values"),
        ({"anyOf": [{"enum": [1, 2, 3]}, {"items": {"enum": [4, 5]}}]}, "schema_enum_values"),
        ({"properties": {"a" * 21: {}}}, "schema_characters"),
        ({"enum": ["a" * 10, "b" * 11]}, "schema_characters"),
        ({"const": "a" * 21}, "schema_characters"),
        ({"pattern": "a" * 21}, "schema_characters"),
        ({"definitions": {"a" * 21: {}}}, "schema_characters"),
    ],
)  # fmt: skip
def test_the_schema_of_an_answer_has_limits(schema: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"\(limits\.{key}\)") as caught:
        check_sizes(answering(schema), LIMITS)
    assert caught.value.param == "response_format.json_schema.schema"


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {name: {"description": "d" * 100} for name in "abc"}, "enum": [1, 2, 3, 4]},
        {"properties": 5, "enum": "a", "$defs": None, "items": [None]},
        None,
    ],
)
def test_a_schema_within_the_limits_or_none_is_for_others(schema: object) -> None:
    check_sizes(answering(schema), LIMITS)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [said(IMAGE, FILE), said(TEXT, TEXT), said()], "tools": [{}, {}], "n": 6},
        {"prompt": ["a", "b", "c"], "n": 2},
        {"prompt": [], "n": 6},
        {"messages": "many", "tools": 5, "n": "7", "prompt": {}, "functions": None},
        {"messages": [5, None, {"content": {"a": 1}}]},
        {"n": 1e999},
        {"n": -1},
        {"n": True},
    ],
)
def test_what_is_within_the_limits_or_no_list_at_all_is_for_others(body: dict[str, Any]) -> None:
    check_sizes(body, LIMITS)


def test_a_history_that_is_too_long_is_told_how_to_become_shorter() -> None:
    with pytest.raises(InvalidRequest, match=r"limits\.messages.+Send fewer: leave out the oldest"):
        check_sizes({"messages": [said(TEXT)] * 4}, LIMITS)


def calling(*arguments: str) -> dict[str, Any]:
    calls = [{"id": "1", "function": {"name": "a", "arguments": text}} for text in arguments]
    return {"messages": [said(TEXT), {"role": "assistant", "tool_calls": calls}]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (calling("[1,2,3,4,5]"), "messages[1].tool_calls[0].function.arguments"),
        (calling("[1,2,3]", "[1,2,3]"), "messages[1].tool_calls[1].function.arguments"),
        (
            {"messages": [{"role": "assistant", "function_call": {"arguments": "[1,2,3,4,5]"}}]},
            "messages[0].function_call.arguments",
        ),
    ],
)
def test_arguments_count_although_they_are_a_string(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest, match=r"\(limits\.json_values\)") as caught:
        check_sizes(body, LimitsConfig(json_values=3))
    assert caught.value.param == param


def test_the_text_within_arguments_does_not_count() -> None:
    check_sizes(calling('{"a":"1,2,3,4,5:6"}', "no JSON"), LimitsConfig(json_values=3))
