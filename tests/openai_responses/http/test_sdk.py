"""The OpenAI SDK, as it is installed, against the frontend."""

from typing import Any

import openai
import pytest
from openai.lib.streaming.responses import ResponseTextDeltaEvent
from pydantic import BaseModel

from gateway import errors
from gateway.testing import ScriptedBackend, answer, part, text_answer
from gateway.types import PartDelta, PartEnd, PartStart, ResponseStart, Text, Thinking, ToolCall
from gateway_openai_responses.wire.request import ENCRYPTED
from tests.openai_responses.conftest import Serve, sdk

MODEL = "test-model"
TOOLS: Any = [
    {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}},
    {"type": "custom", "name": "edit"},
]
THOUGHT = [
    PartStart(index=0, part=Thinking(text="")),
    PartDelta(index=0, text="Hm."),
    PartEnd(index=0, signature="signed"),
]
TOOL_ANSWER = answer(
    THOUGHT,
    part(1, Text(text=""), "Let me see."),
    part(2, ToolCall(id="a1", name="f"), '{"x"', ":1}"),
    part(3, ToolCall(id="a2", name="edit"), '{"input": "a', 'b"}'),
    stop_reason="tool_calls",
)


class Point(BaseModel):
    x: int


async def test_create_retrieve_and_delete(serve: Serve) -> None:
    async with serve() as served, sdk(served) as client:
        response = await client.responses.create(model=MODEL, input="Hi")
        assert response.output_text == "Hello there"
        assert (response.status, response.error, response.incomplete_details) == (
            "completed",
            None,
            None,
        )
        assert response.usage is not None
        assert response.usage.total_tokens == 5
        assert await client.responses.retrieve(response.id) == response
        items = await client.responses.input_items.list(response.id)
        assert [item.type for item in items.data] == ["message"]
        await client.responses.delete(response.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(response.id)


async def test_stream(serve: Serve) -> None:
    async with (
        serve() as served,
        sdk(served) as client,
        client.responses.stream(model=MODEL, input="Hi") as stream,
    ):
        deltas = [e.delta async for e in stream if isinstance(e, ResponseTextDeltaEvent)]
        response = await stream.get_final_response()
    assert "".join(deltas) == response.output_text == "Hello there"


async def test_parse(serve: Serve) -> None:
    backend = ScriptedBackend(text_answer('{"x": 1}'))
    async with serve(backend) as served, sdk(served) as client:
        response = await client.responses.parse(model=MODEL, input="Hi", text_format=Point)
    assert response.output_parsed == Point(x=1)
    wanted = backend.requests[0].response_format
    assert (wanted.kind, wanted.name, wanted.strict) == ("json_schema", "Point", True)


async def test_a_tool_loop_keeps_the_thinking_of_a_stateless_client(serve: Serve) -> None:
    backend = ScriptedBackend(TOOL_ANSWER)
    async with serve(backend) as served, sdk(served) as client:
        ask: Any = {"model": MODEL, "tools": TOOLS, "store": False, "include": [ENCRYPTED]}
        items: Any = [{"role": "user", "content": "Hi"}]
        response = await client.responses.create(**ask, input=items)
        items += response.output
        items += [
            {"type": "function_call_output", "call_id": "a1", "output": "one"},
            {"type": "custom_tool_call_output", "call_id": "a2", "output": "two"},
        ]
        await client.responses.create(**ask, input=items)
    _, assistant, results = backend.requests[1].messages
    assert assistant.parts == (
        Thinking(text="Hm.", signature="signed"),
        Text(text="Let me see."),
        ToolCall(id="a1", name="f", arguments='{"x":1}'),
        ToolCall(id="a2", name="edit", arguments='{"input": "ab"}'),
    )
    assert len(results.parts) == 2


async def test_a_tool_loop_by_id_keeps_it_as_well(serve: Serve) -> None:
    backend = ScriptedBackend(TOOL_ANSWER)
    async with serve(backend) as served, sdk(served) as client:
        response = await client.responses.create(model=MODEL, tools=TOOLS, input="Hi")
        [reasoning, *_] = response.output
        assert reasoning.type == "reasoning"
        assert reasoning.encrypted_content is None  # it was not asked for
        assert reasoning.summary == []
        results: Any = [{"type": "function_call_output", "call_id": "a1", "output": "one"}]
        await client.responses.create(
            model=MODEL, tools=TOOLS, previous_response_id=response.id, input=results
        )
    assert Thinking(text="Hm.", signature="signed") in backend.requests[1].messages[1].parts


async def test_a_summary_is_there_if_it_was_asked_for(serve: Serve) -> None:
    async with serve(ScriptedBackend(TOOL_ANSWER)) as served, sdk(served) as client:
        response = await client.responses.create(
            model=MODEL, input="Hi", tools=TOOLS, reasoning={"summary": "auto"}
        )
    [reasoning, *_] = response.output
    assert reasoning.type == "reasoning"
    assert [part.text for part in reasoning.summary] == ["Hm."]


async def test_an_answer_that_was_cut_is_incomplete(serve: Serve) -> None:
    script = answer(part(0, Text(text=""), "Hel"), stop_reason="max_tokens")
    async with serve(ScriptedBackend(script)) as served, sdk(served) as client:
        response = await client.responses.create(model=MODEL, input="Hi")
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert [item.status for item in response.output] == ["incomplete"]  # type: ignore[union-attr]


async def test_a_refusal_is_said_in_its_own_part(serve: Serve) -> None:
    script = answer(part(0, Text(text=""), "I"), stop_reason="refusal")
    async with serve(ScriptedBackend(script)) as served, sdk(served) as client:
        response = await client.responses.create(model=MODEL, input="Hi")
    kinds = [content.type for item in response.output for content in item.content or ()]  # type: ignore[union-attr]
    assert kinds == ["output_text", "refusal"]


async def test_a_stream_that_fails_raises(serve: Serve) -> None:
    script = [ResponseStart(), *part(0, Text(text=""), "Hel"), errors.BackendFailed("It died.")]
    async with serve(ScriptedBackend(script)) as served, sdk(served) as client:
        stream = await client.responses.create(model=MODEL, input="Hi", stream=True)
        with pytest.raises(openai.APIError, match="It died"):
            async for _ in stream:
                pass


async def test_an_early_failure_is_an_ordinary_error(serve: Serve) -> None:
    backend = ScriptedBackend([errors.ContextTooLong("Too long.", param="messages")])
    async with serve(backend) as served, sdk(served) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model=MODEL, input="Hi", stream=True)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "input")


async def test_very_long_texts_are_whole(serve: Serve) -> None:
    text = "x" * 300_000  # more than is held as it is
    script = answer(
        part(0, Text(text=""), text),
        part(1, ToolCall(id="a", name="edit"), '{"input": "', text, '"}'),
        stop_reason="tool_calls",
    )
    async with serve(ScriptedBackend(script)) as served, sdk(served) as client:
        ask: Any = {"model": MODEL, "input": "Hi", "tools": TOOLS}
        unkept = await client.responses.create(**ask, store=False)
        kept = await client.responses.create(**ask)
        retrieved = await client.responses.retrieve(kept.id)
    for response in (unkept, kept, retrieved):
        assert response.output_text == text
        assert response.output[1].input == text  # type: ignore[union-attr]
