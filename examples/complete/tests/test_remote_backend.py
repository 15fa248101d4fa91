"""The backend that asks another server: it keeps the rules for backends, and translates both ways."""

import importlib.util
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.errors import (
    BackendFailed,
    GatewayError,
    InvalidRequest,
    ModelNotFound,
    NotAuthenticated,
    UpstreamRateLimited,
)
from gateway.streams import collect
from gateway.testing import BackendCase, check_backend, request, serving
from gateway.types import ResponseFormat, Sampling, Target, Text, Tool

PLUGIN = Path(__file__).parent.parent / "remote_backend.py"
SPEC = importlib.util.spec_from_file_location("remote_backend", PLUGIN)
remote: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(remote)

CONFIG = remote.RemoteConfig(url="http://server/v1")
TARGET = Target(model="local", backend="remote", name="qwen3")
CHUNKS = (
    {"model": "qwen3-8b", "choices": [{"delta": {"content": "Hel"}, "finish_reason": None}]},
    {"choices": [{"delta": {"content": "lo"}, "finish_reason": "length"}]},
    {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Server(httpx.AsyncBaseTransport):
    """A server with one answer. `open` counts the responses that are not closed."""

    def __init__(
        self, status: int = 200, chunks: tuple[object, ...] = CHUNKS, **headers: str
    ) -> None:
        self.status, self.chunks, self.headers = status, chunks, headers
        self.open = 0
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, asked: httpx.Request) -> httpx.Response:
        self.asked.append(asked)
        self.open += 1
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        return httpx.Response(self.status, headers=headers, stream=Events(self))


class Events(httpx.AsyncByteStream):
    def __init__(self, server: Server) -> None:
        self._server = server

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._server.chunks:
            yield b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"

    async def aclose(self) -> None:
        self._server.open -= 1


async def test_the_backend_keeps_the_rules() -> None:
    server, broken = Server(), Server(503)
    await check_backend(
        BackendCase(
            open=lambda: remote.ask({}, CONFIG, server),
            fails=lambda: remote.ask({}, CONFIG, broken),
            released=lambda: server.open == broken.open == 0,
        )
    )


async def test_an_answer_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_KEY", "s3cret")
    server = Server()
    config = remote.RemoteConfig(url="http://server/v1", key_variable="LOCAL_KEY")
    asked = request("Hi", system="Be kind.", sampling=Sampling(temperature=0, stop=("\n",)))
    response = await collect(remote.ask(remote.encode(asked, TARGET), config, server))
    assert response.parts == (Text(text="Hello"),)
    assert (response.stop_reason, response.model) == ("max_tokens", "qwen3-8b")
    assert response.usage.total_tokens == 5
    [sent] = server.asked
    assert str(sent.url) == "http://server/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer s3cret"
    assert json.loads(sent.content) == {
        "model": "qwen3",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "stop": ["\n"],
    }


@pytest.mark.parametrize(
    ("server", "kind", "retry_after"),
    [
        (Server(429, retry_after="7"), UpstreamRateLimited, 7),
        (Server(400), InvalidRequest, None),
        (Server(401), NotAuthenticated, None),
        (Server(404), ModelNotFound, None),
        (Server(500), BackendFailed, None),
        (Server(chunks=({"error": "no memory"},)), BackendFailed, None),
        (Server(chunks=({"choices": [{}]},)), BackendFailed, None),  # no delta
        (Server(chunks=CHUNKS[:1]), BackendFailed, None),  # the end is missing
    ],
)
async def test_a_failure_has_its_kind(
    server: Server, kind: type[GatewayError], retry_after: float | None
) -> None:
    with pytest.raises(kind) as caught:
        await collect(remote.ask({}, CONFIG, server))
    assert caught.value.retry_after == retry_after


async def test_a_line_ends_where_the_format_says() -> None:
    text = "a\u2028b"
    chunks = ({"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]},)
    response = await collect(remote.ask({}, CONFIG, Server(chunks=chunks)))
    assert response.parts == (Text(text=text),)


async def test_models_lead_to_it() -> None:
    config = {
        "models": {"local": {"backend": "remote", "target": "qwen3"}},
        "plugins": {"remote_backend": {"url": "http://127.0.0.1:1/v1"}},
    }
    tools, schema = (Tool(name="clock"),), ResponseFormat(kind="json_object")
    async with serving(PLUGIN, config=config) as served:
        with pytest.raises(GatewayError, match="can't call tools"):
            await served.ask(request(model="local", tools=tools))
        with pytest.raises(GatewayError, match="text only"):
            await served.ask(request(model="local", response_format=schema))
        with pytest.raises(GatewayError, match=r"http://127.0.0.1:1/v1 does not answer"):
            await served.ask(request(model="local"))
        description = served.gateway.describe("local")
    assert description is not None
    assert description.inputs == ("text",)
