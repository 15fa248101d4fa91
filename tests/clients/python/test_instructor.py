"""instructor, in all its modes that go over chat completions.

Its answers always have a model of pydantic's; without one it is the client that it wraps.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import instructor
import pytest
from pydantic import BaseModel

from gateway_claude_code.upstream import Answer, Script, ToolUseBlock, text_answer
from gateway_claude_code.upstream.request import result_text
from tests.clients.python.cells import (
    ADA,
    FINAL,
    NATIVE,
    QUESTION,
    TOOL,
    Person,
    answer_structured,
    assert_schema_arrived,
    assert_tool_loop,
    call_get_weather,
    get_weather,
    stream_slowly,
)
from tests.clients.python.snippets import configured
from tests.e2e.gateways import RunningGateway
from tests.pages import ROOT

ASK: Any = [{"role": "user", "content": QUESTION}]
BY_TOOL = ("FUNCTIONS", "TOOLS", "TOOLS_STRICT")
BY_SCHEMA = ("JSON_SCHEMA", "JSON_O1")
BY_WORDS = ("JSON", "MD_JSON")
PARALLEL = "PARALLEL_TOOLS"

Make = Callable[[str], instructor.Instructor]


class City(BaseModel):
    """A city."""

    name: str


@pytest.fixture
def make(gateway: RunningGateway) -> Make:
    def with_mode(mode: str) -> instructor.Instructor:
        replaced = {"Mode.TOOLS": f"Mode.{mode}"}
        made: instructor.Instructor = configured("instructor", gateway.url, **replaced)["client"]
        return made

    return with_mode


def test_the_page_names_the_modes_that_are_tested() -> None:
    page = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^.*instructor's modes.*$", page, re.M)
    assert set(re.findall(r"`([A-Z_0-9]+)`", line)) == {*BY_TOOL, *BY_SCHEMA, *BY_WORDS, PARALLEL}


def test_text(gateway: RunningGateway, make: Make) -> None:
    gateway.upstream.script = lambda _: text_answer(FINAL)
    answer: Any = make("TOOLS").create(messages=ASK, response_model=None)
    assert answer.choices[0].message.content == FINAL


def test_stream(gateway: RunningGateway, make: Make) -> None:
    held = stream_slowly(gateway)
    stream: Any = make("TOOLS").create(messages=ASK, response_model=None, stream=True)
    for chunk in stream:
        held.see(chunk.choices[0].delta.content)
    held.assert_streamed()


def test_tools(gateway: RunningGateway, make: Make) -> None:
    call_get_weather(gateway)
    client = make("TOOLS")
    messages = [*ASK]
    ask: Any = {"messages": messages, "tools": [TOOL], "response_model": None}
    message = client.create(**ask).choices[0].message
    messages.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls:
        content = get_weather(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
    assert client.create(**ask).choices[0].message.content == FINAL
    assert_tool_loop(gateway)


@pytest.mark.parametrize("mode", BY_TOOL)
def test_structured_by_tool(gateway: RunningGateway, make: Make, mode: str) -> None:
    answer_structured(gateway)
    assert _person(make(mode)) == ADA
    assert_schema_arrived(gateway, "mcp__t__Person")
    # this model takes no forced choice, and is told
    assert "Call the `mcp__t__Person` tool now" in gateway.upstream.requests[0].last_user_text


@pytest.mark.parametrize("mode", BY_SCHEMA)
def test_structured_by_schema(gateway: RunningGateway, make: Make, mode: str) -> None:
    answer_structured(gateway)
    assert _person(make(mode)) == ADA
    assert_schema_arrived(gateway, NATIVE)


@pytest.mark.parametrize("mode", BY_WORDS)
def test_structured_by_words(gateway: RunningGateway, make: Make, mode: str) -> None:
    gateway.upstream.script = _json_in_words
    assert _person(make(mode)) == ADA
    assert '"age"' in gateway.upstream.requests[0].system_text


def test_structured_by_parallel_tools(gateway: RunningGateway, make: Make) -> None:
    calls = (ToolUseBlock("mcp__t__Person", ADA), ToolUseBlock("mcp__t__City", {"name": "Bern"}))
    gateway.upstream.script = lambda _: Answer(blocks=calls)
    answer = make(PARALLEL).create(messages=ASK, response_model=Iterable[Person | City])
    assert list(answer) == [Person(**ADA), City(name="Bern")]
    names = {tool["name"] for tool in gateway.upstream.requests[0].tools}
    assert names == {"mcp__t__Person", "mcp__t__City"}


@pytest.mark.parametrize("mode", [*BY_TOOL, *BY_SCHEMA, *BY_WORDS])
def test_structured_streamed(gateway: RunningGateway, make: Make, mode: str) -> None:
    answer_structured(gateway)
    if mode in BY_WORDS:
        gateway.upstream.script = _json_in_words
    *_, last = make(mode).create_partial(messages=ASK, response_model=Person)
    assert last.model_dump() == ADA


def test_an_answer_that_does_not_fit_is_asked_for_again(
    gateway: RunningGateway, make: Make
) -> None:
    wrong = Answer(blocks=(ToolUseBlock("mcp__t__Person", {"name": "Ada", "age": "old"}),))
    right = Answer(blocks=(ToolUseBlock("mcp__t__Person", ADA),))
    gateway.upstream.script = lambda request: right if request.last_tool_results else wrong
    assert _person(make("TOOLS")) == ADA
    _, again = gateway.upstream.requests
    (result,) = again.last_tool_results
    assert "validation error" in result_text(result).lower()


_json_in_words: Script = lambda _: text_answer("```json\n", json.dumps(ADA), "\n```")  # noqa: E731


def _person(client: instructor.Instructor) -> dict[str, Any]:
    return client.create(messages=ASK, response_model=Person).model_dump()
