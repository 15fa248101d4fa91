"""What the model answers in the cells of the matrix, and what has to have reached it.

The cells: a text; a stream; a tool loop, in which `get_weather` is called for a city, run by the
client, and its result sent; and an answer that fits a schema.
"""

import json
from threading import Timer
from typing import Any

from pydantic import BaseModel

from gateway_claude_code.upstream import (
    Answer,
    Gate,
    MessagesRequest,
    TextBlock,
    ToolUseBlock,
    in_order,
    text_answer,
)
from gateway_claude_code.upstream.request import result_text
from tests.e2e.gateways import RunningGateway

MODEL = "claude-sonnet-4"
QUESTION = "What is the weather in Bern?"
WEATHER = "Sunny, 21 °C"
FINAL = "It is sunny in Bern."
ADA = {"name": "Ada", "age": 36}
GIVE_UP_SECONDS = 20

TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
NATIVE = "output_config.format"
"""In the place of a tool's name: the API's own structured output."""


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: The city's name
    """
    assert city == "Bern"
    return WEATHER


class HeldAnswer:
    """The answer "first second", whose second word waits for `see()` of the first.

    A client that gathers the stream before it shows anything gets it only when time is up.
    """

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._gate = Gate()
        self._late = False
        self._timer = Timer(GIVE_UP_SECONDS, self._give_up)

    def __call__(self, _: MessagesRequest) -> Answer:
        """As a script, that starts the time."""
        self._timer.start()
        return Answer(
            blocks=(TextBlock("first second", pieces=("first", " second")),),
            gates={3: self._gate},
        )

    def see(self, piece: str | None) -> None:
        """The client has shown this."""
        if piece:
            self.pieces.append(piece)
            self._gate.open()

    def assert_streamed(self) -> None:
        self._timer.cancel()
        assert "".join(self.pieces).strip() == "first second"
        assert not self._late, "nothing came before the upstream had finished"

    def _give_up(self) -> None:
        self._late = True
        self._gate.open()


def stream_slowly(gateway: RunningGateway) -> HeldAnswer:
    gateway.upstream.script = held = HeldAnswer()
    return held


def call_get_weather(gateway: RunningGateway) -> None:
    """The model calls the tool, and having its result gives `FINAL`."""
    call = ToolUseBlock("mcp__t__get_weather", {"city": "Bern"})
    gateway.upstream.script = in_order(
        Answer(blocks=(TextBlock("I look."), call)), text_answer(FINAL)
    )


def assert_tool_loop(gateway: RunningGateway) -> None:
    """The tool, the call and its result reached the model as what they are."""
    first, second = gateway.upstream.requests
    (tool,) = first.tools
    schema = tool["input_schema"]
    assert tool["name"] == "mcp__t__get_weather"
    assert "The weather of a city" in tool["description"]
    assert schema["properties"]["city"]["type"] == "string"
    assert schema["required"] == ["city"]
    assert list(second.tools) == [tool]
    assert [turn["role"] for turn in second.turns] == ["user", "assistant", "user"]
    assert first.last_user_text == QUESTION
    (result,) = second.last_tool_results
    assert result_text(result) == WEATHER
    assert second.tool_name(result["tool_use_id"]) == "mcp__t__get_weather"


def answer_structured(gateway: RunningGateway, value: dict[str, Any] | None = None) -> None:
    """The model answers with `value` in the format that is asked for, or by its one tool."""
    value = value or ADA

    def script(request: MessagesRequest) -> Answer:
        if request.last_tool_results:
            return text_answer("Done.")
        if schema_of_format(request) is not None:
            return text_answer(json.dumps(value))
        names = [str(tool["name"]) for tool in request.tools]
        assert len(names) == 1, names
        return Answer(blocks=(ToolUseBlock(names[0], value),))

    gateway.upstream.script = script


def assert_schema_arrived(gateway: RunningGateway, tool: str = NATIVE) -> None:
    """The schema of `Person` reached the model as a schema, not as words: natively or by a tool."""
    request = gateway.upstream.requests[0]
    if tool == NATIVE:
        assert list(request.tools) == []
        schema = schema_of_format(request)
    else:
        (offered,) = request.tools
        assert offered["name"] == tool
        schema = offered["input_schema"]
    assert schema is not None
    properties = schema["properties"]
    assert {name: properties[name]["type"] for name in properties} == {
        "name": "string",
        "age": "integer",
    }
    assert sorted(schema["required"]) == ["age", "name"]


def schema_of_format(request: MessagesRequest) -> dict[str, Any] | None:
    """The schema of the API's own structured output, if the request asks for one."""
    given = (request.body.get("output_config") or {}).get("format") or {}
    return given.get("schema")
