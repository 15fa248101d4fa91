"""What holds for every conversation, and for every body that a client may send."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.http.app import create_app
from gateway.testing import ScriptedBackend, build
from gateway.types import ChatRequest, ChatResponse, Message, Text, ToolResult
from gateway_openai.decode.chat import decode, parse
from gateway_openai.encode.chat import AnswerFormat, encode_completion
from gateway_openai.fields.rows import CHAT
from tests.cells import examples
from tests.openai.openai_support import http_client, request_body

FORM = AnswerFormat(id="chatcmpl-1", created=1, model="m")

# -- conversations ------------------------------------------------------------------------

lines = st.text(min_size=1, max_size=12)
arguments = st.dictionaries(lines, st.integers() | st.text(max_size=5), max_size=3).map(json.dumps)
function_names = st.from_regex(r"[a-zA-Z0-9_.-]{1,64}", fullmatch=True)
calls = st.lists(st.tuples(function_names, arguments | lines), max_size=3)
assistants = st.tuples(st.none() | lines, calls).filter(any)
conversations = st.lists(st.tuples(lines, assistants), min_size=1, max_size=4)

Turns = list[tuple[str, tuple[str | None, list[tuple[str, str]]]]]


def on_the_wire(turns: Turns) -> list[dict[str, Any]]:
    """The turns as messages, each call followed by a result that repeats its arguments."""
    messages: list[dict[str, Any]] = []
    for number, (asked, (content, called)) in enumerate(turns):
        ids = [f"call{number}x{index}" for index in range(len(called))]
        answer: dict[str, Any] = {"role": "assistant", "content": content}
        if called:
            answer["tool_calls"] = [
                {"id": call_id, "type": "function", "function": {"name": name, "arguments": given}}
                for call_id, (name, given) in zip(ids, called, strict=True)
            ]
        results = [
            {"role": "tool", "tool_call_id": call_id, "content": given}
            for call_id, (_, given) in zip(ids, called, strict=True)
        ]
        messages += [{"role": "user", "content": asked}, answer, *results]
    return messages


def encoded_again(messages: Iterable[Message], form: AnswerFormat = FORM) -> list[dict[str, Any]]:
    """A decoded conversation as messages of the wire, its assistant's as the encoder writes them."""
    again: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "assistant":
            parts: Any = message.parts
            response = ChatResponse(parts=parts, stop_reason="end")
            encoded = encode_completion([response], form)["choices"][0]["message"]
            kept = ("role", "content", "tool_calls", "function_call")
            again.append({key: encoded[key] for key in kept if key in encoded})
            continue
        for each in message.parts:
            match each:
                case Text(text=text):
                    again.append({"role": "user", "content": text})
                case ToolResult(call_id=call_id, parts=(Text(text=text),)):
                    again.append({"role": "tool", "tool_call_id": call_id, "content": text})
    return again


@given(turns=conversations)
def test_a_conversation_survives_decoding_and_encoding(turns: Turns) -> None:
    messages = on_the_wire(turns)
    last = {"role": "user", "content": "Go on."}
    decoded = decode(parse(request_body(messages=[*messages, last]))).request.messages
    assert encoded_again(decoded) == [*messages, last]


@given(turns=st.lists(st.tuples(lines, st.none() | lines, function_names, arguments), max_size=4))
def test_legacy_functions_survive_decoding_and_encoding(
    turns: list[tuple[str, str | None, str, str]],
) -> None:
    messages = [
        message
        for asked, content, name, given in turns
        for message in (
            {"role": "user", "content": asked},
            {
                "role": "assistant",
                "content": content,
                "function_call": {"name": name, "arguments": given},
            },
            {"role": "function", "name": name, "content": given},
        )
    ]
    last = {"role": "user", "content": "Go on."}
    request = decode(parse(request_body(messages=[*messages, last]))).request
    again = encoded_again(request.messages, replace(FORM, legacy_functions=True))
    names = iter([name for _, _, name, _ in turns])
    for message in again:
        if message["role"] == "tool":  # the call's id, which this form has none of, led here
            del message["tool_call_id"]
            message |= {"role": "function", "name": next(names)}
    assert again == [*messages, last]


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
@settings(max_examples=examples(200))
def test_any_body_is_decoded_or_refused(fields: dict[str, object]) -> None:
    match attempt(**fields):
        case GatewayError(status=status, param=param):
            assert status == 400
            assert param
            assert "<" not in param


@given(messages=st.lists(st.dictionaries(keys, values, max_size=5), min_size=1, max_size=4))
@settings(max_examples=examples(200))
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
def test_any_bytes_get_an_answer_that_is_no_500(app: FastAPI, content: bytes) -> None:
    async def post() -> int:
        async with http_client(app) as client:
            headers = {"content-type": "application/json"}
            response = await client.post("/v1/chat/completions", content=content, headers=headers)
            return response.status_code

    assert anyio.run(post) == 400


@given(fields=bodies)
@settings(max_examples=examples(50))
def test_any_json_object_gets_an_answer_that_is_no_500(
    app: FastAPI, fields: dict[str, object]
) -> None:
    async def post() -> int:
        async with http_client(app) as client:
            body = request_body(**{**fields, "n": None})
            response = await client.post("/v1/chat/completions", json=body)
            return response.status_code

    assert anyio.run(post) in (200, 400, 404)
