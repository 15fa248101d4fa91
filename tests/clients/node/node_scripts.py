"""What the upstream answers in these tests, and what it is to have been asked."""

import json
from collections.abc import Sequence
from typing import Any

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    StreamError,
    TextBlock,
    ToolUseBlock,
)
from gateway_claude_code.upstream.request import result_text

CITY = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FORMAT = "output_config.format"
PERSON_SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": ["number", "null"]},
        "home": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["city", "tags"],
            "additionalProperties": False,
        },
    },
    "required": ["name", "age", "home"],
    "additionalProperties": False,
}
PERSON = {"name": "Ada", "age": None, "home": {"city": "London", "tags": ["math", "É"]}}


def weather_calls(final: str = "Sunny in both") -> Any:
    """A script: two parallel calls of get_weather, and when there are results, a text."""
    calls = tuple(
        ToolUseBlock("mcp__t__get_weather", {"city": city}, id=f"toolu_{city}")
        for city in ("Bern", "Rome")
    )

    def script(request: MessagesRequest) -> Answer:
        return Answer(blocks=(TextBlock(final),) if request.last_tool_results else calls)

    return script


def person_answer(request: MessagesRequest) -> Answer:
    """A script: the structured answer, in the format that is asked for."""
    if "format" in (request.body.get("output_config") or {}):
        text = json.dumps(PERSON)
        pieces = tuple(text[start : start + 8] for start in range(0, len(text), 8))
        return Answer(blocks=(TextBlock(text, pieces),))
    return Answer(blocks=(TextBlock("There was no schema."),))


def broken_answer(_: MessagesRequest) -> StreamError:
    """A script: an answer of which there is one piece, and then an error."""
    return StreamError(Answer(blocks=(TextBlock("first second", ("first", " second")),)), after=3)


def schema_of(request: MessagesRequest, tool: str) -> Any:
    """The input schema of a tool that was on offer, or that of the answer's format."""
    if tool == FORMAT:
        return request.body["output_config"]["format"]["schema"]
    (schema,) = (t["input_schema"] for t in request.tools if t["name"] == tool)
    return schema


def assert_full_loop(requests: Sequence[MessagesRequest]) -> None:
    """The tool arrived as the model's own, and both results as answers to its calls."""
    assert len(requests) == 2, f"not one request a step: {[r.turns[1:] for r in requests]}"
    first, second = requests
    assert [tool["name"] for tool in first.tools] == ["mcp__t__get_weather"]
    assert first.tools[0]["description"] == "The weather of a city."
    assert first.last_user_text == "What is the weather in Bern and in Rome?"
    calls = [b for b in second.turns[-2]["content"] if b["type"] == "tool_use"]
    assert [(call["name"], call["input"]) for call in calls] == [
        ("mcp__t__get_weather", {"city": "Bern"}),
        ("mcp__t__get_weather", {"city": "Rome"}),
    ]
    results = {r["tool_use_id"]: result_text(r) for r in second.last_tool_results}
    assert [results[call["id"]] for call in calls] == ["Sunny in Bern", "Sunny in Rome"]
