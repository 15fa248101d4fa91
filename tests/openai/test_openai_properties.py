"""What holds for every answer, and for every body that a client may send."""

from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_support import http_client, request_body, sse_data

from gateway.app import create_app
from gateway.errors import GatewayError
from gateway.streams import AnswerBuilder
from gateway.testing import ScriptedBackend, answer, build, part
from gateway.types import ChatRequest, StreamEvent, Text, Thinking, ToolCall
from gateway_openai.decode import decode, parse
from gateway_openai.encode import AnswerFormat, encode_completion
from gateway_openai.encode_chunks import ChunkEncoder
from gateway_openai.field_rows import CHAT

FORM = AnswerFormat(id="chatcmpl-1", created=1, model="m", include_usage=True)

pieces = st.lists(st.text(max_size=5), max_size=4)
answer_parts = st.lists(
    st.tuples(st.sampled_from(["text", "thinking", "call"]), pieces), max_size=4
)


def events_of(parts: list[tuple[str, list[str]]]) -> list[StreamEvent]:
    kinds = {
        "text": lambda _: Text(text=""),
        "thinking": lambda _: Thinking(text=""),
        "call": lambda index: ToolCall(id=f"call{index}", name="f"),
    }
    return answer(
        *(part(index, kinds[kind](index), *texts) for index, (kind, texts) in enumerate(parts))
    )


def whole(events: list[StreamEvent]) -> dict[str, Any]:
    builder = AnswerBuilder()
    for event in events:
        builder.add(event)
    return encode_completion([builder.build()], FORM)


def accumulated(events: list[StreamEvent]) -> dict[str, Any]:
    """The message that a client puts together from the stream."""
    encoder = ChunkEncoder(FORM, 1)
    stream = b"".join(encoder.encode(0, event) for event in events) + encoder.finish()
    text, thinking, calls, usage = "", "", {}, None
    for chunk in sse_data(stream.decode())[:-1]:
        usage = chunk["usage"]
        for choice in chunk["choices"]:
            delta = choice["delta"]
            text += delta.get("content", "")
            thinking += delta.get("reasoning_content", "")
            for call in delta.get("tool_calls", []):
                known = calls.setdefault(call["index"], {"id": call.get("id"), "arguments": ""})
                known["arguments"] += call["function"]["arguments"]
    return {"text": text, "thinking": thinking, "calls": list(calls.values()), "usage": usage}


@given(parts=answer_parts)
def test_the_division_into_events_makes_no_difference(parts: list[tuple[str, list[str]]]) -> None:
    joined = [(kind, ["".join(texts)]) for kind, texts in parts]
    assert whole(events_of(parts)) == whole(events_of(joined))


@given(parts=answer_parts)
def test_a_stream_says_the_same_as_the_whole_answer(parts: list[tuple[str, list[str]]]) -> None:
    completion = whole(events_of(parts))
    message = completion["choices"][0]["message"]
    assert accumulated(events_of(parts)) == {
        "text": message["content"] or "",
        "thinking": message.get("reasoning_content", ""),
        "calls": [
            {"id": call["id"], "arguments": call["function"]["arguments"]}
            for call in message.get("tool_calls", [])
        ],
        "usage": completion["usage"],
    }


# -- any body -----------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
words = st.sampled_from(
    [
        "user",
        "assistant",
        "tool",
        "system",
        "function",
        "text",
        "image_url",
        "file",
        "auto",
        "f",
        "object",
        "required",
        "json_schema",
        "allowed_tools",
        "data:,x",
        "data:image/png;base64,",
    ]
)
keys = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "text",
        "image_url",
        "url",
        "file",
        "file_data",
        "name",
        "id",
        "tool_calls",
        "tool_call_id",
        "function",
        "arguments",
        "parameters",
        "schema",
        "json_schema",
        "allowed_tools",
        "tools",
        "mode",
        "function_call",
        "include_usage",
    ]
)
values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(sorted(name for name in CHAT.by_name if "." not in name))
bodies = st.dictionaries(names, values, max_size=6)


def attempt(**fields: object) -> ChatRequest | GatewayError:
    try:
        return decode(parse(request_body(**fields))).request
    except GatewayError as error:
        return error


@given(fields=bodies)
@settings(max_examples=200)
def test_any_body_is_decoded_or_refused(fields: dict[str, object]) -> None:
    match attempt(**fields):
        case GatewayError(status=status, param=param):
            assert status == 400
            assert param
            assert "<" not in param


@given(messages=st.lists(st.dictionaries(keys, values, max_size=5), min_size=1, max_size=4))
@settings(max_examples=200)
def test_any_messages_are_decoded_or_refused(messages: list[object]) -> None:
    match attempt(messages=messages):
        case GatewayError(param=param):
            assert param
            assert param.startswith("messages[")
        case ChatRequest(messages=decoded):
            assert decoded[-1].role == "user"
            assert all(message.parts for message in decoded)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = tmp_path_factory.mktemp("gateway")
    return create_app(build(folder, ScriptedBackend(), disabled=("claude_code",)))


@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(deadline=None)
def test_any_bytes_get_an_answer_that_is_no_500(app: FastAPI, content: bytes) -> None:
    async def post() -> int:
        async with http_client(app) as client:
            headers = {"content-type": "application/json"}
            response = await client.post("/v1/chat/completions", content=content, headers=headers)
            return response.status_code

    assert anyio.run(post) == 400


@given(fields=bodies)
@settings(max_examples=50, deadline=None)
def test_any_json_object_gets_an_answer_that_is_no_500(
    app: FastAPI, fields: dict[str, object]
) -> None:
    async def post() -> int:
        async with http_client(app) as client:
            body = request_body(**{**fields, "n": None})
            response = await client.post("/v1/chat/completions", json=body)
            return response.status_code

    assert anyio.run(post) in (200, 400, 404)
