"""The application: ids and times on every answer, errors in one form, clean lifespans."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body, HTTPException, Query
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import (
    BackendFailed,
    GatewayError,
    NotAuthenticated,
    Overloaded,
    QuotaExhausted,
    RateLimited,
)
from gateway.http.app import create_app
from gateway.http.failures import as_gateway_error
from gateway.http.request_identity import RequestIdentity
from gateway.pipeline.gateway import CoreGateway
from tests.gateway.core_support import http, plugin

GatewayWith = Callable[..., CoreGateway]


def raising(error: Exception) -> object:
    def gateway_register_routes(router: APIRouter) -> None:
        @router.get("/fail")
        async def fail() -> None:
            raise error

    return plugin(gateway_register_routes)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/nothing", 404),
        ("POST", "/healthz", 405),
        ("GET", "/fail", 500),
    ],
)
async def test_every_answer_has_an_id_and_a_time(
    method: str, path: str, status: int, gateway_with: GatewayWith
) -> None:
    async with http(gateway_with(raising(KeyError("x")))) as client:
        answer = await client.request(method, path, headers={"x-request-id": "theirs"})
    assert answer.status_code == status
    assert answer.headers["x-request-id"].startswith("req_")
    assert int(answer.headers["openai-processing-ms"]) >= 0


async def test_routes_know_the_id_that_is_sent(gateway_with: GatewayWith) -> None:
    from starlette.requests import Request  # noqa: PLC0415 - FastAPI looks it up in here

    def gateway_register_routes(router: APIRouter) -> None:
        async def whoami(request: Request) -> dict[str, Any]:
            return {"id": request.state.request_id, "started": request.state.started}

        whoami.__annotations__["request"] = Request
        router.get("/whoami")(whoami)

    async with http(gateway_with(plugin(gateway_register_routes))) as client:
        answer = await client.get("/whoami")
    assert answer.json()["id"] == answer.headers["x-request-id"]
    assert answer.json()["started"] > 0


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RateLimited("later"), 429, "later"),
        (KeyError("secret"), 500, "internal error; see the gateway's log"),
        (HTTPException(401, "who?"), 401, "who?"),
        (HTTPException(403, "no"), 403, "no"),
        (HTTPException(413, "big"), 413, "big"),
        (HTTPException(415, "type"), 415, "type"),
        (HTTPException(429, "slow"), 429, "slow"),
        (HTTPException(418, "tea"), 400, "tea"),
        (HTTPException(503, "down"), 500, "down"),
        (HTTPException(404), 404, "Unknown path: GET /fail."),
    ],
)
async def test_errors(error: Exception, status: int, message: str, gateway_with: Any) -> None:
    async with http(gateway_with(raising(error))) as client:
        answer = await client.get("/fail")
    assert (answer.status_code, answer.json()) == (status, {"error": {"message": message}})


async def test_a_405_names_the_methods_that_are_allowed(gateway_with: GatewayWith) -> None:
    async with http(gateway_with()) as client:
        answer = await client.delete("/health")
    assert answer.headers["allow"] == "GET"
    assert "DELETE /health is not allowed" in answer.json()["error"]["message"]


async def test_what_fastapi_finds_invalid_is_an_invalid_request(gateway_with: GatewayWith) -> None:
    def gateway_register_routes(router: APIRouter) -> None:
        async def add(items: list[dict[str, int]]) -> None: ...

        async def show(number: int) -> None: ...

        add.__annotations__["items"] = Annotated[list[dict[str, int]], Body()]
        show.__annotations__["number"] = Annotated[int, Query()]
        router.post("/add")(add)
        router.get("/show")(show)

    def gateway_render_error(error: GatewayError) -> PlainTextResponse:
        return PlainTextResponse(f"{error.param}|{error.message}", error.status)

    gateway = gateway_with(plugin(gateway_register_routes), plugin(gateway_render_error))
    async with http(gateway) as client:
        item = await client.post("/add", json=[{"a": "x"}])
        query = await client.get("/show")
        body = await client.post("/add")
    assert item.text.startswith("[0].a|Input should be a valid integer")
    assert query.text == "number|Field required: number"
    assert body.text == "None|Field required"
    assert {item.status_code, query.status_code, body.status_code} == {400}


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (RateLimited("x", retry_after=3), {"retry-after": "3"}),
        (RateLimited("x", retry_after=2.1), {"retry-after": "3"}),
        (RateLimited("x", retry_after=-2), {"retry-after": "0"}),
        (QuotaExhausted("x", should_retry=False), {"x-should-retry": "false"}),
        (Overloaded("x", should_retry=True), {"x-should-retry": "true"}),
        (BackendFailed("x"), {}),
    ],
)
async def test_headers_that_tell_when_to_come_back(
    error: Exception, headers: dict[str, str], gateway_with: GatewayWith
) -> None:
    async with http(gateway_with(raising(error))) as client:
        answer = await client.get("/fail")
    told = {"retry-after", "x-should-retry"} & set(answer.headers)
    assert {name: answer.headers[name] for name in told} == headers


async def test_a_frontend_that_fails_at_an_error_leaves_the_plain_one(
    gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    def gateway_render_error() -> None:
        raise KeyError("x")

    async with http(gateway_with(plugin(gateway_render_error))) as client:
        answer = await client.get("/nothing")
    assert answer.status_code == 404
    assert "an error could not be rendered" in caplog.text


async def test_middleware_that_raises_gives_a_whole_answer(gateway_with: GatewayWith) -> None:
    def gateway_asgi_wrapper() -> Callable[[ASGIApp], ASGIApp]:
        def wrap(app: ASGIApp) -> ASGIApp:
            async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
                raise NotAuthenticated("who?")

            return refuse

        return wrap

    async with http(gateway_with(plugin(gateway_asgi_wrapper))) as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()) == (401, {"error": {"message": "who?"}})
    assert "x-request-id" in answer.headers


async def test_a_plugin_may_have_no_middleware(gateway_with: GatewayWith) -> None:
    def gateway_asgi_wrapper() -> None:
        return None

    async with http(gateway_with(plugin(gateway_asgi_wrapper))) as client:
        assert (await client.get("/health")).status_code == 200


async def test_an_answer_that_breaks_half_way_breaks_the_connection(
    gateway_with: GatewayWith,
) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise BackendFailed("x")

    def gateway_register_routes(router: APIRouter) -> None:
        @router.get("/half")
        async def serve() -> StreamingResponse:
            return StreamingResponse(half())

        serve.__annotations__.clear()

    app = create_app(gateway_with(plugin(gateway_register_routes)))
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/half", "headers": [], "query_string": b""}
    with pytest.raises(RuntimeError, match="response already started"):
        await app({**scope, "asgi": {"spec_version": "2.4"}}, receive, send)
    assert not any(message.get("more_body") is False for message in sent)


async def test_other_scopes_pass_as_they_are() -> None:
    seen: list[Any] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    receive, send = (lambda: None), (lambda _: None)
    scope = {"type": "lifespan"}
    await RequestIdentity(inner, lambda *_: PlainTextResponse())(scope, receive, send)  # type: ignore[arg-type]
    assert seen == [(scope, receive, send)]


async def test_lifespans_that_opened_are_closed_when_one_does_not_open(
    gateway_with: GatewayWith,
) -> None:
    notes: list[str] = []

    def opening(name: str, error: Exception | None = None) -> object:
        @asynccontextmanager
        async def opened() -> AsyncIterator[None]:
            if error is not None:
                raise error
            notes.append(f"+{name}")
            yield
            notes.append(f"-{name}")

        def gateway_lifespan() -> object:
            return opened()

        return plugin(gateway_lifespan)

    app = create_app(gateway_with(opening("never", KeyError("x")), opening("first")))
    with pytest.raises(KeyError):
        async with app.router.lifespan_context(app):
            raise AssertionError("not reached")
    assert notes == ["+first"]


def test_an_error_is_what_it_is() -> None:
    error = RateLimited("x")
    assert as_gateway_error(None, error) is error  # type: ignore[arg-type]


@pytest.mark.parametrize(("given", "code"), [(None, "rate_limit_exceeded"), ("tokens", "tokens")])
def test_errors_carry_a_code_of_their_class_or_their_own(given: str | None, code: str) -> None:
    assert RateLimited("x", code=given).code == code
