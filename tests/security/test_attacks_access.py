"""Attacks on who gets in, one a row: what is sent, and what comes of it. Nothing is asked of the model."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from gateway.http.app import create_app
from gateway.testing import ScriptedBackend, build
from gateway_access.keys.keyring import hash_key

KEY = "dgm-the-key-of-this-test"
LONG_KEY = b"x" * 60_000
JSON = ("content-type", "application/json")
BODY = json.dumps({"model": "test-model", "messages": [{"role": "user", "content": "Hi"}]}).encode()
EVIL = "https://evil.example"
CHAT = "/v1/chat/completions"
KEYS = {"keys": [{"name": "laptop", "hash": hash_key(KEY.encode())}]}
WITH_KEY = ("authorization", f"Bearer {KEY}")


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A request, and the status and the code that it gets. Without `host`, a header less.

    `reader` is the origin whose page may read the refusal, and nothing but the refusal.
    """

    name: str
    status: int
    code: str
    headers: tuple[tuple[str, str | bytes], ...] = (JSON,)
    host: str | None = "127.0.0.1:3456"
    method: str = "POST"
    path: str = CHAT
    query: str = ""
    body: bytes = BODY
    section: dict[str, Any] = field(default_factory=dict)
    reader: str | None = None


def host(name: str, value: str | None, **more: Any) -> Attack:
    return Attack(name=f"host: {name}", host=value, status=421, code="host_not_allowed", **more)


def page(name: str, *headers: tuple[str, str], **more: Any) -> Attack:
    """Refused; the page sees the refusal, whose text says what to do, if its origin can be named."""
    expected = {"status": 403, "code": "permission_denied", "headers": (JSON, *headers), **more}
    expected.setdefault("reader", dict(headers).get("origin"))
    return Attack(name=f"page: {name}", **expected)


def form(name: str, *headers: tuple[str, str]) -> Attack:
    return Attack(name=f"form: {name}", headers=headers, status=415, code="unsupported_media_type")


def key(name: str, *headers: tuple[str, str | bytes], **more: Any) -> Attack:
    return Attack(
        name=f"key: {name}",
        headers=(JSON, *headers),
        status=401,
        code="invalid_api_key",
        section=KEYS,
        **more,
    )


ATTACKS = [
    host("DNS rebinding", "evil.example:3456"),
    host("DNS rebinding, to read the models", "evil.example:3456", method="GET", path="/v1/models"),
    host("DNS rebinding, to look at the health", "evil.example", method="GET", path="/health"),
    host("DNS rebinding, and its own origin", "evil.example", headers=(JSON, ("origin", EVIL))),
    host("DNS rebinding, with a key", "evil.example", headers=(JSON, WITH_KEY), section=KEYS),
    host("loopback in a longer name", "localhost.evil.example"),
    host("an address in a longer name", "127.0.0.1.evil.example"),
    host("loopback as the user's name", "localhost@evil.example"),
    host("loopback as the user's name and password", "127.0.0.1:3456@evil.example"),
    host("loopback as the password", "evil.example:localhost"),
    host("another name after the port", "localhost:3456.evil.example"),
    host("a path", "localhost/evil.example"),
    host("two names in one", "localhost, evil.example"),
    host("a name with a line break", "localhost\r\nx: evil.example"),
    host("a name with a NUL", "localhost\0.evil.example"),
    host("an IPv6 address without brackets", "::1"),
    host("a half bracket", "[::1"),
    host("a name in brackets", "[localhost]"),
    host("an IPv6 address of others", "[2001:db8::1]:3456"),
    host("an IPv4 address of others, as IPv6", "[::ffff:192.0.2.1]"),
    host("an address of others", "192.0.2.1"),
    host("any address", "0.0.0.0:3456"),
    host("an address as one number", "2130706433"),
    host("an address in octal", "0177.0.0.1"),
    host("a port that is none", "localhost:evil"),
    host("an empty one", ""),
    host("none", None),
    host("a second one", "localhost", headers=(JSON, ("host", "evil.example"))),
    host("the right one in another header", "evil.example",
         headers=(JSON, ("x-forwarded-host", "localhost"), ("forwarded", "host=localhost"))),
    page("of another site", ("origin", EVIL)),
    page("that is the machine's, but another's", ("origin", "http://127.0.0.1:8080")),
    page("over https", ("origin", "https://127.0.0.1:3456")),
    page("with the gateway's name in a longer one", ("origin", "http://127.0.0.1:3456.evil.example")),
    page("with the gateway as the user's name", ("origin", "http://127.0.0.1:3456@evil.example"),
         reader=None),
    page("from a file or in a sandboxed frame", ("origin", "null")),
    page("with an empty origin", ("origin", ""), reader=None),
    page("with a line break in its origin", ("origin", EVIL + "\r\nx: y"), reader=None),
    page("with an endless origin", ("origin", "https://" + "a" * 5000), reader=None),
    page("of an extension", ("origin", "chrome-extension://abcdefgh")),
    page("of a desktop program", ("origin", "app://obsidian.md")),
    page("that does not say which", ("sec-fetch-site", "cross-site")),
    page("that says it is ours", ("origin", EVIL), ("sec-fetch-site", "same-origin")),
    page("with a key, but not listed", ("origin", EVIL), WITH_KEY, section=KEYS),
    page("next to one that is listed", ("origin", "https://good.example.evil.example"),
         section={"origins": ["https://good.example"]}),
    page("that asks first, with an origin that is none", ("origin", "evil"),
         ("access-control-request-method", "POST"), method="OPTIONS", reader=None),
    page("that only asks", ("origin", EVIL), method="OPTIONS"),
    page("of another site, with plain text", headers=(
        ("content-type", "text/plain"), ("origin", EVIL)), reader=EVIL),
    page("that only wants to be there", ("sec-fetch-site", "cross-site"), method="GET",
         path="/v1/models"),
    form("JSON as plain text", ("content-type", "text/plain")),
    form("JSON as a form", ("content-type", "application/x-www-form-urlencoded")),
    form("JSON as a form with files", ("content-type", "multipart/form-data; boundary=x")),
    form("JSON without a type"),
    form("JSON after another type", ("content-type", "text/plain; application/json")),
    key("none"),
    key("a wrong one", ("authorization", "Bearer dgm-wrong")),
    key("the first half", ("authorization", f"Bearer {KEY[:10]}")),
    key("with more behind it", ("authorization", f"Bearer {KEY}x")),
    key("in capitals", ("authorization", f"Bearer {KEY.upper()}")),
    key("two in one", ("authorization", f"Bearer {KEY},{KEY}")),
    key("an empty one", ("authorization", "Bearer ")),
    key("as a password", ("authorization", "Basic OmRnbS10aGUta2V5")),
    key("its hash", ("authorization", f"Bearer {hash_key(KEY.encode())}")),
    key("the name of one", ("x-api-key", "laptop")),
    key("a very long one", ("x-api-key", LONG_KEY)),
    key("bytes that are no text", ("x-api-key", b"\xff\x00\xfe")),
    key("in the URL", query=f"key={KEY}&api_key={KEY}&access_token={KEY}"),
    key("in a cookie", ("cookie", f"authorization=Bearer {KEY}")),
    key("its owner's name, as middleware has it", ("client_key", "laptop"),
        ("x-client-key", "laptop")),
    key("a path that looks like that of the health", path="/health/../v1/chat/completions"),
    key("the description of the API", method="GET", path="/openapi.json"),
]  # fmt: skip


async def send(app: Any, attack: Attack) -> tuple[int, dict[str, str], bytes, bool]:
    """Put the request to the application as it is, however impossible for a client library.

    The status, the headers and the body of the answer, and whether the request's was read.
    """
    headers = [("host", attack.host)] if attack.host is not None else []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": attack.method,
        "path": attack.path,
        "raw_path": attack.path.encode(),
        "query_string": attack.query.encode(),
        "headers": [
            (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in (*headers, *attack.headers)
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 3456),
    }
    messages: list[Any] = []
    bodies = [attack.body]

    async def receive() -> Any:
        if not bodies:
            await anyio.sleep_forever()  # nobody goes away
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def collect(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    start, *rest = messages
    found = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    answer = b"".join(each.get("body", b"") for each in rest)
    return start["status"], found, answer, not bodies


def cors_of(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_attack(attack: Attack, tmp_path: Path) -> None:
    backend = ScriptedBackend()
    config = {"plugins": {"access": attack.section}}
    app = create_app(build(tmp_path, backend, config=config, disabled=("claude_code",)))
    status, headers, body, read = await send(app, attack)
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (attack.status, attack.code)
    assert not read
    assert set(error) == {"message", "type", "param", "code"}
    reader = {} if attack.reader is None else {"access-control-allow-origin": attack.reader}
    assert cors_of(headers) == reader
    assert KEY not in json.dumps([headers, error])
    assert backend.requests == []


@pytest.mark.parametrize("section", [{}, KEYS, {"origins": ["https://good.example"]}])
async def test_a_preflight_opens_nothing_but_the_refusal(
    section: dict[str, Any], tmp_path: Path
) -> None:
    """It is granted so that the browser sends the request, whose refusal the page can show.

    Asking again changes nothing: it is not remembered, and the request is refused all the same.
    """
    backend = ScriptedBackend()
    config = {"plugins": {"access": section}}
    app = create_app(build(tmp_path, backend, config=config, disabled=("claude_code",)))
    asks = (
        ("origin", EVIL),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
        ("access-control-request-private-network", "true"),
    )
    preflight = Attack(name="", method="OPTIONS", headers=asks, status=204, code="")
    request = Attack(
        name="", headers=(JSON, WITH_KEY, ("origin", EVIL)), status=403, code="permission_denied"
    )
    for _ in range(2):
        status, headers, body, read = await send(app, preflight)
        assert (status, body, read) == (204, b"", False)
        assert cors_of(headers) == {
            "access-control-allow-origin": EVIL,
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "authorization,content-type",
            "access-control-allow-private-network": "true",
            "access-control-max-age": "0",
        }
        status, headers, body, read = await send(app, request)
        assert (status, json.loads(body)["error"]["code"], read) == (403, request.code, False)
        assert cors_of(headers) == {"access-control-allow-origin": EVIL}
        assert headers["vary"] == "Origin"
    assert backend.requests == []


async def test_a_preflight_under_another_name_is_not_answered(tmp_path: Path) -> None:
    app = create_app(build(tmp_path, disabled=("claude_code",)))
    asks = (("origin", EVIL), ("access-control-request-method", "POST"))
    preflight = Attack(
        name="", method="OPTIONS", headers=asks, host="evil.example", status=421, code=""
    )
    status, headers, *_ = await send(app, preflight)
    assert (status, cors_of(headers)) == (421, {})


async def test_the_same_request_without_an_attack_is_answered(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    config = {"plugins": {"access": KEYS}}
    app = create_app(build(tmp_path, backend, config=config, disabled=("claude_code",)))
    plain = Attack(name="none", status=200, code="", headers=(JSON, WITH_KEY))
    status, *_, read = await send(app, plain)
    assert (status, read) == (200, True)
    assert len(backend.requests) == 1


def test_every_attack_is_another_one() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
