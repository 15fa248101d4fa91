"""The Responses API: openai-python in full, and the ways of other clients that lead to it."""

import json
from collections.abc import Iterator
from typing import Any

import litellm
import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import OpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from gateway_claude_code.upstream import in_order, text_answer
from tests.clients.python.cells import (
    ADA,
    FINAL,
    MODEL,
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
from tests.pages import snippet

TOOLS: Any = [{"type": "function", **TOOL["function"]}]
ASK: Any = {"model": MODEL, "input": QUESTION}


@pytest.fixture
def client(gateway: RunningGateway) -> Iterator[OpenAI]:
    made: OpenAI = configured("openai-python", gateway.url)["client"]
    gateway.upstream.requests.clear()  # the snippet asks something itself
    with made:
        yield made


def test_the_conversation_on_the_page(
    gateway: RunningGateway, client: OpenAI, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.upstream.script = in_order(text_answer("Because of Rayleigh."), text_answer("Dark."))
    code = snippet("openai-python-responses")
    exec(compile(code, "snippet", "exec"), {"client": client})
    assert capsys.readouterr().out == "Because of Rayleigh.\nDark.\n"
    turns = gateway.upstream.requests[-1].turns
    assert json.dumps(turns).count("Because of Rayleigh.") == 1


def test_stream(gateway: RunningGateway, client: OpenAI) -> None:
    held = stream_slowly(gateway)
    with client.responses.stream(**ASK) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                held.see(event.delta)
        response = stream.get_final_response()
    held.assert_streamed()
    assert client.responses.retrieve(response.id).output_text == "first second"
    assert len(client.responses.input_items.list(response.id).data) == 1


def test_tools(gateway: RunningGateway, client: OpenAI) -> None:
    call_get_weather(gateway)
    items: list[Any] = [{"role": "user", "content": QUESTION}]
    answer = client.responses.create(model=MODEL, input=items, tools=TOOLS)
    items += answer.output
    items += [_result(item) for item in answer.output if item.type == "function_call"]
    answer = client.responses.create(model=MODEL, input=items, tools=TOOLS)
    assert answer.output_text == FINAL
    assert_tool_loop(gateway)


def test_structured(gateway: RunningGateway, client: OpenAI) -> None:
    answer_structured(gateway)
    answer = client.responses.parse(**ASK, text_format=Person)
    assert answer.output_parsed == Person(**ADA)
    assert_schema_arrived(gateway)


async def test_pydantic_ai(gateway: RunningGateway) -> None:
    call_get_weather(gateway)
    provider = OpenAIProvider(base_url=f"{gateway.url}/v1", api_key="unused")
    agent = Agent(OpenAIResponsesModel(MODEL, provider=provider), tools=[get_weather])
    assert (await agent.run(QUESTION)).output == FINAL
    assert_tool_loop(gateway)


def test_langchain(gateway: RunningGateway) -> None:
    call_get_weather(gateway)
    model = ChatOpenAI(
        model=MODEL, base_url=f"{gateway.url}/v1", api_key="unused", use_responses_api=True
    ).bind_tools([tool(get_weather)])
    messages: list[Any] = [("user", QUESTION)]
    asked: Any = model.invoke(messages)
    [call] = asked.tool_calls
    result = {"role": "tool", "tool_call_id": call["id"], "content": get_weather(**call["args"])}
    answer = model.invoke([*messages, asked, result])
    assert answer.text == FINAL
    assert_tool_loop(gateway)


def test_litellm(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: text_answer(FINAL)
    answer: Any = litellm.responses(
        model=f"openai/{MODEL}", input=QUESTION, api_base=f"{gateway.url}/v1", api_key="unused"
    )
    assert answer.output[0].content[0].text == FINAL


def _result(call: Any) -> Any:
    output = get_weather(**json.loads(call.arguments))
    return {"type": "function_call_output", "call_id": call.call_id, "output": output}
