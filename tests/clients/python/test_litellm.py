"""litellm, by its provider `openai`."""

import json
from typing import Any

import litellm
import pytest

from gateway_claude_code.upstream import text_answer
from tests.clients.python.cells import (
    ADA,
    FINAL,
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

ASK: Any = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def settings(gateway: RunningGateway) -> dict[str, Any]:
    made: dict[str, Any] = configured("litellm", gateway.url)["dragoman"]
    gateway.upstream.requests.clear()  # the snippet asks something itself
    return made


def test_text_as_on_the_page(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: text_answer("Hello you")
    answer = configured("litellm", gateway.url)["answer"]
    assert answer.choices[0].message.content == "Hello you"
    assert gateway.upstream.requests[0].last_user_text == "Hello!"


async def test_text_async(gateway: RunningGateway, settings: dict[str, Any]) -> None:
    gateway.upstream.script = lambda _: text_answer(FINAL)
    answer: Any = await litellm.acompletion(**settings, messages=ASK)
    await litellm.close_litellm_async_clients()
    assert answer.choices[0].message.content == FINAL


def test_stream(gateway: RunningGateway, settings: dict[str, Any]) -> None:
    held = stream_slowly(gateway)
    stream: Any = litellm.completion(**settings, messages=ASK, stream=True)
    for chunk in stream:
        held.see(chunk.choices[0].delta.content)
    held.assert_streamed()


@pytest.mark.parametrize("streamed", [False, True])
def test_tools(gateway: RunningGateway, settings: dict[str, Any], streamed: bool) -> None:
    call_get_weather(gateway)
    messages = [*ASK]
    ask: Any = {**settings, "messages": messages, "tools": [TOOL]}
    answer: Any = litellm.completion(**ask, stream=streamed)
    if streamed:
        answer = litellm.stream_chunk_builder(list(answer), messages=messages)
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    messages.append(message.model_dump())
    for call in message.tool_calls:
        content = get_weather(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
    answer = litellm.completion(**ask)
    assert answer.choices[0].message.content == FINAL
    assert_tool_loop(gateway)


def test_structured(gateway: RunningGateway, settings: dict[str, Any]) -> None:
    answer_structured(gateway)
    answer: Any = litellm.completion(**settings, messages=ASK, response_format=Person)
    assert Person.model_validate_json(answer.choices[0].message.content) == Person(**ADA)
    assert_schema_arrived(gateway)
