"""What a hostile client may send, as a table: each is refused, or means nothing but itself."""

import json
import socket
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateway.http.app import create_app
from gateway.testing import SCRIPTED, ScriptedBackend, answer, build, part, text_answer
from gateway.types import Document, Image, StreamEvent, Text
from gateway_claude_code.request.history import turns
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_openai.decode.chat import decode, parse
from tests.security.attack_support import body, picture, user

CHAT = "/v1/chat/completions"

KEYS = {"message", "type", "param", "code"}


SCRIPT: list[StreamEvent] = []
"""What the backend answers."""

BACKEND = ScriptedBackend(reply=lambda _: SCRIPT)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """A gateway with this backend, and with a pattern for its models."""
    models = {"models": {"safe-*": {"backend": SCRIPTED}}}
    folder = tmp_path_factory.mktemp("gateway")
    return create_app(build(folder, BACKEND, config=models, disabled=("claude_code",)))


@pytest.fixture(autouse=True)
def _said_by_the_backend() -> None:
    BACKEND.requests.clear()
    SCRIPT[:] = text_answer("Hello")


async def send(app: FastAPI, method: str, path: str, **options: Any) -> httpx.Response:
    """The answer to a request."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.request(method, path, **options)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../x", "a\n", "a\x00", "é", "a" * 65, "a;rm"])
async def test_a_name_that_could_be_something_else_is_refused(name: str, app: FastAPI) -> None:
    tools = [{"type": "function", "function": {"name": name}}]
    answered = await send(app, "POST", CHAT, json=body(tools=tools))
    assert answered.status_code == 400
    assert answered.json()["error"]["param"] == "tools[0].function.name"


# -- addresses ----------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every try at a connection, or at finding an address."""
    tried: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        tried.append(arguments)
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    return tried


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "ftp://example.org/a.png",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "dict://127.0.0.1/",
        "jar:http://example.org!/",
        "javascript:alert(1)",
        "//169.254.169.254/",
        "/etc/passwd",
        "data:text/html;base64,PGI+",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:image/png;base64,%%%",
        "data:,",
        "data:",
        "",
    ],
)
async def test_only_pictures_and_http_are_taken(
    url: str, app: FastAPI, no_network: list[object]
) -> None:
    answered = await send(app, "POST", CHAT, json=body(picture(url)))
    assert answered.status_code == 400
    assert answered.json()["error"]["param"] == "messages[0].content[0].image_url.url"
    assert BACKEND.requests == []
    assert no_network == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:22/",
        "http://localhost/admin",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://0x7f000001/",
        "https://user:secret@example.org/a.png",
        "HTTP://EXAMPLE.ORG/a.png",
    ],
)
async def test_the_gateway_itself_fetches_nothing(
    url: str, app: FastAPI, no_network: list[object]
) -> None:
    answered = await send(app, "POST", CHAT, json=body(picture(url)))
    assert answered.status_code == 200
    [request] = BACKEND.requests
    assert request.messages[0].parts == (Image(url=url),)
    assert no_network == []


@pytest.mark.parametrize("name", ["/etc/passwd", "../../x", "a\x00b", "file:///etc/passwd"])
def test_the_name_of_a_file_is_a_title_and_no_path(name: str) -> None:
    file = {"type": "file", "file": {"filename": name, "file_data": "data:text/plain;base64,SGk="}}
    call = decode(parse(body(user(file))))
    assert call.request.messages[0].parts == (
        Document(media_type="text/plain", data="Hi", title=name),
    )


# -- headers and paths --------------------------------------------------------------------

INJECTED = [
    "a\r\nset-cookie: b=c",
    "a\nx-b: c",
    "a\x00b",
    "a\u2028b",
    "日本",
    "é" * 10,
    "\ud800",
    "a" * 9999,
]


@pytest.mark.parametrize("name", INJECTED, ids=ascii)
@pytest.mark.parametrize("stream", [True, False])
async def test_no_header_is_made_of_a_name(name: str, stream: bool, app: FastAPI) -> None:
    SCRIPT[:] = answer(part(0, Text(text="")), model=name)
    fields = {"stream": stream, name.encode("utf-8", "replace").decode(): 1, "x\r\ny: z": 1}
    answered = await send(app, "POST", CHAT, json=body(**fields))
    assert answered.status_code == 200
    assert not {"set-cookie", "x-b", "y"} & set(answered.headers)
    for _, value in answered.headers.raw:
        assert not set(value) & {0, 10, 13}


@pytest.mark.parametrize(
    "header", ["x-request-id", "x-dragoman-model", "x-forwarded-for"], ids=ascii
)
async def test_headers_of_a_client_do_not_come_back(header: str, app: FastAPI) -> None:
    sent = [(header.encode("latin-1"), b"from-the-client")]
    headers = [(b"content-type", b"application/json"), *sent]
    answered = await send(app, "POST", CHAT, json=body(), headers=headers)
    assert answered.status_code == 200
    assert "from-the-client" not in str(answered.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/../../etc/passwd",
        "/v1/models/..%2f..%2fetc%2fpasswd",
        "/v1/models/%2e%2e/%2e%2e/etc/passwd",
        "/v1/models/%252e%252e%252fetc%252fpasswd",
        "/v1/models//etc/passwd",
        "/v1/models/..\\..\\windows",
        "/v1/models/%00",
        "/v1/models/%0d%0aset-cookie:%20a=b",
        "/v1/models/%ff%fe",
        "/v1/models/%c0%af",
        "/v1/models/" + "a" * 5000,
        "/v1/models/*",
        "/v1/%2e%2e/health%00",
        "/.env",
        "/static/../models.yaml",
    ],
)
async def test_a_path_leads_to_no_file(path: str, app: FastAPI) -> None:
    answered = await send(app, "GET", path)
    assert answered.status_code == 404
    assert set(answered.json()["error"]) == KEYS
    assert "root:" not in answered.text
    assert "set-cookie" not in answered.headers


@pytest.mark.parametrize(
    "model",
    ["../../etc/passwd", "--help", "-p", "a\r\nb", "\x00", "*", "", "x" * 1_000_000],
    ids=lambda m: ascii(m)[:20],
)
async def test_a_model_that_is_none_is_not_found_in_few_words(model: str, app: FastAPI) -> None:
    answered = await send(app, "POST", CHAT, json=body(model=model))
    assert answered.status_code == 404
    assert answered.json()["error"]["code"] == "model_not_found"
    assert len(answered.content) < 1000


# -- bombs --------------------------------------------------------------------------------


def raw(value: bytes) -> bytes:
    return json.dumps(body()).encode()[:-1] + b', "metadata": ' + value + b"}"


DEEP = 100_000


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (raw(b"[" * DEEP + b"]" * DEEP), 400),
        (raw(b'{"a":' * DEEP + b"1" + b"}" * DEEP), 400),
        (b"[" * 1_000_000, 400),
        (raw(b'{"a": 1' + b"0" * 1_000_000 + b"}"), 400),
        (raw(b'{"a": 1' + b"0" * 4000 + b"}"), 200),
        (raw(b'{"a": 1e999}'), 200),
        (raw(b'{"a": -1e-999999}'), 200),
        (raw(b'{"a": NaN}'), 400),
        (raw(b'{"a": 1, "a": 2}'), 200),
        (raw(b'{"a": "\\u0000"}'), 200),
        (raw(b'{"a": "\x00"}'), 400),
        (raw(b'{"a": "\xc0\xaf"}'), 400),
        (raw(b'{"a": "\xe0\x80\xaf"}'), 400),
        (raw(b'{"a": "\xf4\x90\x80\x80"}'), 400),
        (raw(b'{"a": "\xed\xa0\x80"}'), 200),
        (raw(b'{"a": "\\ud800"}'), 200),
        (raw(b"{" + b",".join(b'"%d": 1' % n for n in range(100_000)) + b"}"), 200),
        (json.dumps(body({"role": "user", "content": "a\x00b"})).encode(), 200),
        (json.dumps(body(model="safe-" + "m" * 1_000_000)).encode(), 200),
        (json.dumps(body(stop=["a" * 1_000_000])).encode(), 200),
        (json.dumps(body(max_tokens=10**30)).encode(), 200),
        (json.dumps(body(seed=10**4000)).encode(), 200),
        (json.dumps({**body(), "a" * 1_000_000: 1}).encode(), 200),
        (json.dumps(body(*[{"role": "user", "content": "x"}] * 10_001)).encode(), 400),
        (json.dumps(body(user(*[{"type": "text", "text": "x"}] * 50_001))).encode(), 400),
        (json.dumps(body(tools=[{"type": "function"}] * 1001)).encode(), 400),
        (json.dumps(body(n=129)).encode(), 400),
    ],
    ids=lambda value: ascii(value[:70]) if isinstance(value, bytes) else str(value),
)
async def test_a_bomb_does_not_go_off(content: bytes, status: int, app: FastAPI) -> None:
    answered = await send(
        app,
        "POST",
        CHAT,
        content=content,
        headers={"content-type": "application/json"},
    )
    assert answered.status_code == status
    if status == 400:
        assert set(answered.json()["error"]) == KEYS
        assert len(answered.content) < 10_000
    assert sum(len(name) + len(value) for name, value in answered.headers.raw) < 10_000


def test_deep_arguments_and_schemas_are_taken_as_they_are_or_refused() -> None:
    deep = "[" * DEEP + "]" * DEEP
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": deep}}
    said: list[dict[str, object]] = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "x"},
    ]
    made = turns(decode(parse(body(*said))).request.messages, ToolNames(["f"]))
    [use] = [block for turn in made for block in turn.blocks if block["type"] == "tool_use"]
    assert use["input"] == {"arguments": deep}
