"""The backend that says what it was told."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.context import RequestContext
from gateway.errors import ConfigurationError
from gateway.http.app import create_app
from gateway.testing import ScriptedBackend, build, text_answer
from gateway.types import ChatRequest, Image, Message, Target, Text, ToolResult
from gateway_echo.answer import LONGEST_PIECE, EchoOptions, echo, last_text, pieces
from gateway_echo.plugin import gateway_open_stream


def user(*texts: str) -> Message:
    return Message(role="user", parts=tuple(Text(text=text) for text in texts))


ANSWER = Message(role="assistant", parts=(Text(text="an answer"),))
PICTURE = Message(role="user", parts=(Image(url="http://127.0.0.1/a.png"),))
RESULT = Message(role="user", parts=(ToolResult(call_id="1", parts=(Text(text="result"),)),))


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], ""),
        ([ANSWER], ""),
        ([PICTURE], ""),
        ([user("one")], "one"),
        ([user("one", "more")], "one\nmore"),
        ([user("one"), ANSWER, user("two")], "two"),
        ([user("one"), ANSWER], "one"),
        ([user("one"), ANSWER, PICTURE], "one"),
        ([user("one"), ANSWER, RESULT], "one"),
    ],
)
def test_the_last_text_of_the_user_counts(messages: list[Message], text: str) -> None:
    assert last_text(messages) == text


@pytest.mark.parametrize(
    ("text", "number", "expected"),
    [
        ("", 3, []),
        ("abc", 1, ["abc"]),
        ("abcd", 2, ["ab", "cd"]),
        ("abcde", 3, ["a", "bc", "de"]),
        ("ab", 5, ["a", "b"]),
    ],
)
def test_a_text_is_cut_into_pieces(text: str, number: int, expected: list[str]) -> None:
    assert list(pieces(text, number)) == expected


async def test_the_delay_lies_between_the_pieces() -> None:
    started = time.monotonic()
    events = [event async for event in echo("m", "abc", EchoOptions(chunks=3, delay=0.01))]
    assert time.monotonic() - started >= 0.02
    assert len(events) == 8


async def ask(
    folder: Path, options: Mapping[str, Any], body: Mapping[str, Any], backend: str = "echo"
) -> httpx.Response:
    models = {"m": {"backend": backend, "target": "mirror", "options": dict(options)}}
    other = ScriptedBackend(text_answer("another backend"))
    app = create_app(build(folder, other, config={"models": models}))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        request = {"model": "m", "messages": [{"role": "user", "content": "Hello!"}], **body}
        return await client.post("/v1/chat/completions", json=request)


async def test_a_whole_answer(tmp_path: Path) -> None:
    answer = await ask(tmp_path, {}, {})
    assert answer.json()["choices"][0]["message"]["content"] == "Hello!"
    assert answer.json()["usage"]["total_tokens"] == 0
    assert answer.headers["x-dragoman-model"] == "mirror"


async def test_a_streamed_answer_comes_in_pieces(tmp_path: Path) -> None:
    answer = await ask(tmp_path, {"chunks": 3}, {"stream": True})
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    deltas = [json.loads(line)["choices"][0]["delta"].get("content") for line in lines]
    assert [delta for delta in deltas if delta] == ["He", "ll", "o!"]


async def test_other_backends_are_left_alone(tmp_path: Path) -> None:
    answer = await ask(tmp_path, {"chunks": "of another kind"}, {}, backend="scripted")
    assert answer.json()["choices"][0]["message"]["content"] == "another backend"
    target = Target(model="m", backend="scripted", name="s")
    request = ChatRequest(model="m", messages=(user("one"),))
    assert gateway_open_stream(request, target, RequestContext(request_id="1")) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"chunks": 0}, "line 5: Input should be greater than or equal"),
        ({"delay": "long"}, "Input should be a valid number, .* in 'models.m.options.delay'"),
        ({"chunk": 3}, "unknown key 'chunk' in 'models.m.options'; did you mean 'chunks'"),
    ],
)
async def test_wrong_options_stop_the_start(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        await ask(tmp_path, options, {})


def test_no_piece_is_very_long() -> None:
    text = "x" * (3 * LONGEST_PIECE)
    found = list(pieces(text, 1))
    assert max(map(len, found)) <= LONGEST_PIECE
    assert "".join(found) == text
