"""pydantic-ai: its agent runs the tool loop itself."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic_ai import Agent, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel

from gateway_claude_code.upstream import text_answer
from tests.clients.python.cells import (
    ADA,
    FINAL,
    NATIVE,
    QUESTION,
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


@pytest.fixture
async def model(gateway: RunningGateway) -> AsyncIterator[OpenAIChatModel]:
    made: OpenAIChatModel = configured("pydantic-ai", gateway.url)["model"]
    async with made:
        yield made


async def test_text(gateway: RunningGateway, model: OpenAIChatModel) -> None:
    gateway.upstream.script = lambda _: text_answer(FINAL)
    result = await Agent(model, instructions="Be brief.").run(QUESTION)
    assert result.output == FINAL
    assert gateway.upstream.requests[0].system_text == "Be brief."


async def test_stream(gateway: RunningGateway, model: OpenAIChatModel) -> None:
    held = stream_slowly(gateway)
    async with Agent(model).run_stream(QUESTION) as result:
        async for piece in result.stream_text(delta=True, debounce_by=None):
            held.see(piece)
    held.assert_streamed()


async def test_tools(gateway: RunningGateway, model: OpenAIChatModel) -> None:
    call_get_weather(gateway)
    assert (await Agent(model, tools=[get_weather]).run(QUESTION)).output == FINAL
    assert_tool_loop(gateway)


async def test_tools_streamed(gateway: RunningGateway, model: OpenAIChatModel) -> None:
    call_get_weather(gateway)
    agent = Agent(model, tools=[get_weather])
    events = [event async for event in _events(agent)]
    assert "function_tool_result" in events
    assert_tool_loop(gateway)


async def _events(agent: Agent[None, str]) -> Any:
    async with agent.run_stream_events(QUESTION) as stream:
        async for event in stream:
            yield event.event_kind


@pytest.mark.parametrize(
    ("kind", "by"), [(NativeOutput, NATIVE), (ToolOutput, "mcp__t__final_result")]
)
async def test_structured(
    gateway: RunningGateway, model: OpenAIChatModel, kind: Any, by: str
) -> None:
    answer_structured(gateway)
    result = await Agent(model, output_type=kind(Person)).run("Who?")
    assert result.output == Person(**ADA)
    assert_schema_arrived(gateway, by)


async def test_structured_by_prompt(gateway: RunningGateway, model: OpenAIChatModel) -> None:
    gateway.upstream.script = lambda _: text_answer('{"name": "Ada", "age": 36}')
    result = await Agent(model, output_type=PromptedOutput(Person)).run("Who?")
    assert result.output == Person(**ADA)
