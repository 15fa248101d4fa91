"""openai-python: the synchronous and the asynchronous client, and what they have built in."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI, pydantic_function_tool
from pydantic import BaseModel

from gateway_claude_code.upstream import text_answer
from tests.clients.python.cells import (
    ADA,
    FINAL,
    MODEL,
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
from tests.pages import snippet

ASK: Any = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}]}


class GetWeather(BaseModel):
    """The weather of a city."""

    city: str


TOOL = pydantic_function_tool(GetWeather, name="get_weather")


@pytest.fixture
def client(gateway: RunningGateway) -> Iterator[OpenAI]:
    made: OpenAI = configured("openai-python", gateway.url)["client"]
    gateway.upstream.requests.clear()  # the snippet asks something itself
    with made:
        yield made


@pytest.fixture
async def async_client(client: OpenAI) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=client.base_url, api_key=client.api_key) as made:
        yield made


def test_text_as_on_the_pages(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: text_answer("Because of Rayleigh.")
    completion = configured("openai-python", gateway.url)["completion"]
    assert completion.choices[0].message.content == "Because of Rayleigh."
    assert gateway.upstream.requests[0].last_user_text == "Why is the sky blue?"


def run_snippet(name: str, client: OpenAI) -> None:
    """Run a snippet of docs/clients.md that goes on with the `client` of an earlier one."""
    exec(compile(snippet(name), f"snippet: {name}", "exec"), {"client": client})


def test_the_stream_on_the_page(
    gateway: RunningGateway, client: OpenAI, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.upstream.script = lambda _: text_answer("One, ", "two.")
    run_snippet("openai-python-stream", client)
    assert capsys.readouterr().out == "One, two."


def test_the_tool_loop_on_the_page(
    gateway: RunningGateway, client: OpenAI, capsys: pytest.CaptureFixture[str]
) -> None:
    call_get_weather(gateway)
    run_snippet("openai-python-tools", client)
    call, answer = capsys.readouterr().out.splitlines()
    assert (call.split()[0], answer) == ("get_weather", FINAL)
    assert_tool_loop(gateway)


async def test_text_async(gateway: RunningGateway, async_client: AsyncOpenAI) -> None:
    gateway.upstream.script = lambda _: text_answer(FINAL)
    completion = await async_client.chat.completions.create(**ASK)
    assert completion.choices[0].message.content == FINAL


def test_stream(gateway: RunningGateway, client: OpenAI) -> None:
    held = stream_slowly(gateway)
    for chunk in client.chat.completions.create(**ASK, stream=True):
        held.see(chunk.choices[0].delta.content)
    held.assert_streamed()


async def test_stream_async(gateway: RunningGateway, async_client: AsyncOpenAI) -> None:
    held = stream_slowly(gateway)
    async for chunk in await async_client.chat.completions.create(**ASK, stream=True):
        held.see(chunk.choices[0].delta.content)
    held.assert_streamed()


def test_stream_helper(gateway: RunningGateway, client: OpenAI) -> None:
    held = stream_slowly(gateway)
    with client.chat.completions.stream(**ASK) as stream:
        for event in stream:
            if event.type == "content.delta":
                held.see(event.delta)
        assert stream.get_final_completion().choices[0].message.content == "first second"
    held.assert_streamed()


async def test_stream_helper_async(gateway: RunningGateway, async_client: AsyncOpenAI) -> None:
    held = stream_slowly(gateway)
    async with async_client.chat.completions.stream(**ASK) as stream:
        async for event in stream:
            if event.type == "content.delta":
                held.see(event.delta)
    held.assert_streamed()


def test_tools(gateway: RunningGateway, client: OpenAI) -> None:
    call_get_weather(gateway)
    messages = [*ASK["messages"]]
    answer = client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    messages.append(message)
    messages += [_result(call) for call in message.tool_calls or []]
    answer = client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
    assert answer.choices[0].message.content == FINAL
    assert_tool_loop(gateway)


async def test_tools_by_the_stream_helper(
    gateway: RunningGateway, async_client: AsyncOpenAI
) -> None:
    call_get_weather(gateway)
    messages = [*ASK["messages"]]
    ask: Any = {"model": MODEL, "messages": messages, "tools": [TOOL]}
    async with async_client.chat.completions.stream(**ask) as stream:
        kinds = {event.type async for event in stream}
        message = (await stream.get_final_completion()).choices[0].message
    assert "tool_calls.function.arguments.delta" in kinds
    assert "tool_calls.function.arguments.done" in kinds
    (call,) = message.tool_calls or []
    assert call.function.parsed_arguments == GetWeather(city="Bern")
    messages += [message, _result(call)]
    async with async_client.chat.completions.stream(**ask) as stream:
        answer = await stream.get_final_completion()
    assert answer.choices[0].message.content == FINAL
    assert_tool_loop(gateway)


def test_structured_by_parse(gateway: RunningGateway, client: OpenAI) -> None:
    answer_structured(gateway)
    answer = client.chat.completions.parse(**ASK, response_format=Person)
    assert answer.choices[0].message.parsed == Person(**ADA)
    assert answer.choices[0].finish_reason == "stop"
    assert_schema_arrived(gateway)


async def test_structured_by_parse_async(
    gateway: RunningGateway, async_client: AsyncOpenAI
) -> None:
    answer_structured(gateway)
    answer = await async_client.chat.completions.parse(**ASK, response_format=Person)
    assert answer.choices[0].message.parsed == Person(**ADA)


def test_structured_by_the_stream_helper(gateway: RunningGateway, client: OpenAI) -> None:
    answer_structured(gateway)
    with client.chat.completions.stream(**ASK, response_format=Person) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == Person(**ADA)
    assert_schema_arrived(gateway)


def _result(call: Any) -> Any:
    content = get_weather(**json.loads(call.function.arguments))
    return {"role": "tool", "tool_call_id": call.id, "content": content}
