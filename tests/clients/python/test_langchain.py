"""LangChain's `ChatOpenAI`."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

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

WEATHER_TOOL = tool(parse_docstring=True)(get_weather)


@pytest.fixture
def model(gateway: RunningGateway) -> ChatOpenAI:
    made: ChatOpenAI = configured("langchain", gateway.url)["model"]
    return made


def test_text(gateway: RunningGateway, model: ChatOpenAI) -> None:
    gateway.upstream.script = lambda _: text_answer(FINAL)
    answer = model.invoke([("system", "Be brief."), ("human", QUESTION)])
    assert answer.content == FINAL
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 7
    assert gateway.upstream.requests[0].system_text == "Be brief."


def test_stream(gateway: RunningGateway, model: ChatOpenAI) -> None:
    held = stream_slowly(gateway)
    for chunk in model.stream(QUESTION):
        held.see(str(chunk.content))
    held.assert_streamed()


async def test_text_and_stream_async(gateway: RunningGateway, model: ChatOpenAI) -> None:
    """Both in one test, as LangChain keeps one pool of connections for the whole process."""
    try:
        gateway.upstream.script = lambda _: text_answer(FINAL)
        assert (await model.ainvoke(QUESTION)).content == FINAL
        held = stream_slowly(gateway)
        async for chunk in model.astream(QUESTION):
            held.see(str(chunk.content))
        held.assert_streamed()
    finally:
        await model.root_async_client.close()


@pytest.mark.parametrize("streamed", [False, True])
def test_tools(gateway: RunningGateway, model: ChatOpenAI, streamed: bool) -> None:
    call_get_weather(gateway)
    bound = model.bind_tools([WEATHER_TOOL])
    messages: list[Any] = [HumanMessage(QUESTION)]
    answer: Any
    if streamed:
        chunks = list(bound.stream(messages))
        answer = sum(chunks[1:], chunks[0])
    else:
        answer = bound.invoke(messages)
    messages.append(answer)
    messages += [WEATHER_TOOL.invoke(call) for call in answer.tool_calls]
    assert bound.invoke(messages).content == FINAL
    assert_tool_loop(gateway)


@pytest.mark.parametrize(
    ("method", "by"), [("json_schema", NATIVE), ("function_calling", "mcp__t__Person")]
)
def test_structured(gateway: RunningGateway, model: ChatOpenAI, method: Any, by: str) -> None:
    answer_structured(gateway)
    answer = model.with_structured_output(Person, method=method).invoke("Who?")
    assert answer == Person(**ADA)
    assert_schema_arrived(gateway, by)


def test_structured_by_json_mode(gateway: RunningGateway, model: ChatOpenAI) -> None:
    gateway.upstream.script = lambda _: text_answer('{"name": "Ada", "age": 36}')
    answer = model.with_structured_output(Person, method="json_mode").invoke("Who, as JSON?")
    assert answer == Person(**ADA)
