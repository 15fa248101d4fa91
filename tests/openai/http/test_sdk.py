"""The OpenAI SDK, as it is installed, against the frontend."""

from typing import Any

import openai
import pytest

from gateway import errors
from gateway.testing import ScriptedBackend, answer, part, text_answer
from gateway.types import ResponseStart, Text, Thinking, ToolCall
from tests.openai.openai_support import BuildApp, sdk

MESSAGES: Any = [{"role": "user", "content": "Hi"}]
TOOLS: Any = [{"type": "function", "function": {"name": "f", "parameters": {}}}]

TOOL_ANSWER = answer(
    part(0, Thinking(text=""), "hm"),
    part(1, Text(text=""), "Let me see."),
    part(2, ToolCall(id="a1", name="f"), '{"x"', ":1}"),
    part(3, ToolCall(id="a2", name="f")),
    stop_reason="tool_calls",
)


async def test_text(build_app: BuildApp) -> None:
    async with sdk(build_app, ScriptedBackend()) as client:
        completion = await client.chat.completions.create(model="test-model", messages=MESSAGES)
    assert completion.choices[0].message.content == "Hello there"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 5
    assert completion._request_id is not None


async def test_stream(build_app: BuildApp) -> None:
    async with sdk(build_app, ScriptedBackend()) as client:
        stream = await client.chat.completions.create(
            model="test-model", messages=MESSAGES, stream=True
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello there"
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.usage for chunk in chunks} == {None}


async def test_stream_with_usage(build_app: BuildApp) -> None:
    async with sdk(build_app, ScriptedBackend()) as client:
        stream = await client.chat.completions.create(
            model="test-model",
            messages=MESSAGES,
            stream=True,
            stream_options={"include_usage": True},
        )
        *chunks, last = [chunk async for chunk in stream]
    assert {chunk.usage for chunk in chunks} == {None}
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == 5


async def test_tools(build_app: BuildApp) -> None:
    async with sdk(build_app, ScriptedBackend(TOOL_ANSWER)) as client:
        completion = await client.chat.completions.create(
            model="test-model", messages=MESSAGES, tools=TOOLS
        )
    (choice,) = completion.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Let me see."
    calls = choice.message.tool_calls or []
    assert [(call.id, call.function.arguments) for call in calls] == [
        ("a1", '{"x":1}'),
        ("a2", "{}"),
    ]
    assert choice.message.model_extra == {"reasoning_content": "hm"}


async def test_streamed_tools_with_the_helper(build_app: BuildApp) -> None:
    async with (
        sdk(build_app, ScriptedBackend(TOOL_ANSWER)) as client,
        client.chat.completions.stream(
            model="test-model", messages=MESSAGES, tools=TOOLS
        ) as stream,
    ):
        events = [event async for event in stream]
        completion = await stream.get_final_completion()
    done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    assert [(event.index, event.name, event.arguments) for event in done] == [
        (0, "f", '{"x":1}'),
        (1, "f", "{}"),
    ]
    assert completion.choices[0].message.content == "Let me see."


async def test_a_conversation_goes_on_with_the_sdks_own_messages(build_app: BuildApp) -> None:
    backend = ScriptedBackend(TOOL_ANSWER, text_answer("Done."))
    async with sdk(build_app, backend) as client:
        first = await client.chat.completions.create(
            model="test-model", messages=MESSAGES, tools=TOOLS
        )
        message = first.choices[0].message
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": "ok"}
            for call in message.tool_calls or []
        ]
        second = await client.chat.completions.create(
            model="test-model", messages=[*MESSAGES, message, *results], tools=TOOLS
        )
    assert second.choices[0].message.content == "Done."
    assert [message.role for message in backend.requests[1].messages] == [
        "user",
        "assistant",
        "user",
    ]


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (errors.InvalidRequest("no"), openai.BadRequestError),
        (errors.NotAuthenticated("no"), openai.AuthenticationError),
        (errors.NotAllowed("no"), openai.PermissionDeniedError),
        (errors.ModelNotFound("no"), openai.NotFoundError),
        (errors.QuotaExhausted("no"), openai.RateLimitError),
        (errors.BackendFailed("no"), openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_errors(
    build_app: BuildApp, failure: errors.GatewayError, raised: type[openai.APIError], stream: bool
) -> None:
    async with sdk(build_app, ScriptedBackend([failure])) as client:
        with pytest.raises(raised) as caught:
            await client.chat.completions.create(
                model="test-model", messages=MESSAGES, stream=stream
            )
    assert caught.value.code == failure.code
    assert "no" in caught.value.message


@pytest.mark.parametrize(
    "failure", [errors.GatewayBusy, errors.RateLimited, errors.UpstreamRateLimited]
)
async def test_what_is_full_for_now_is_tried_again_when_it_says(
    build_app: BuildApp, failure: type[errors.GatewayError], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    wait = openai.AsyncOpenAI._calculate_retry_timeout

    def without_waiting(*arguments: Any) -> float:
        waits.append(wait(*arguments))
        return 0

    monkeypatch.setattr(openai.AsyncOpenAI, "_calculate_retry_timeout", without_waiting)
    backend = ScriptedBackend([failure("full", retry_after=7)], text_answer("Hello"))
    async with sdk(build_app, backend).with_options(max_retries=1) as client:
        completion = await client.chat.completions.create(model="test-model", messages=MESSAGES)
    assert completion.choices[0].message.content == "Hello"
    assert waits == [7]


async def test_an_error_within_a_stream(build_app: BuildApp) -> None:
    script = [ResponseStart(model="m"), errors.Overloaded("no room")]
    async with sdk(build_app, ScriptedBackend(script)) as client:
        stream = await client.chat.completions.create(
            model="test-model", messages=MESSAGES, stream=True
        )
        with pytest.raises(openai.APIError, match="no room"):
            _ = [chunk async for chunk in stream]


async def test_models(build_app: BuildApp) -> None:
    async with sdk(build_app, ScriptedBackend()) as client:
        assert "test-model" in [model.id async for model in client.models.list()]
        assert (await client.models.retrieve("test-model")).owned_by == "scripted"
