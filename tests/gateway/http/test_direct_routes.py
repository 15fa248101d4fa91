"""Endpoints that are called without FastAPI: which ones, and that nobody can tell the difference."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from gateway.errors import RateLimited
from gateway.http.direct_routes import DirectRoutes, direct_routes, takes_request_alone


async def plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse("plain")


async def without_request() -> Response:
    return Response()


async def with_more(request: Request, name: str) -> Response:
    return Response()


async def value(request: Request) -> dict[str, str]:
    return {}


async def untyped(request: Request):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return Response()


def in_thread(request: Request) -> Response:
    return Response()


@pytest.mark.parametrize(
    ("endpoint", "direct"),
    [
        (plain, True),
        (without_request, False),
        (with_more, False),
        (value, False),
        (untyped, False),
        (in_thread, False),
    ],
)
def test_an_endpoint_is_called_directly_if_it_takes_the_request_alone(
    endpoint: Callable[..., Any], direct: bool
) -> None:
    assert takes_request_alone(endpoint) is direct


def test_the_table_has_the_routes_that_fastapi_would_choose() -> None:
    router = APIRouter()
    router.get("/first/{name}")(with_more)
    router.get("/first/taken")(plain)  # never reached
    router.post("/direct")(plain)
    router.get("/dependent", dependencies=[Depends(without_request)])(plain)
    router.get("/direct")(value)
    assert {key: route.endpoint for key, route in direct_routes(router.routes).items()} == {
        ("POST", "/direct"): plain
    }


def scope_of(path: str, **others: Any) -> Scope:
    return {"type": "http", "method": "GET", "path": path, "headers": [], **others}


async def never(_: Any = None) -> Any:
    await anyio.sleep_forever()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("the application")(scope, receive, send)


async def ask(scope: Scope, endpoint: Callable[..., Any] = plain) -> list[Message]:
    router = APIRouter()
    router.get("/here")(endpoint)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    def render(_: Request, error: Exception) -> Response:
        return PlainTextResponse(f"rendered {type(error).__name__}", 418)

    middleware = DirectRoutes(application, direct_routes(router.routes), render)
    await middleware(scope, never, send)
    return sent


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (scope_of("/here"), b"plain"),
        (scope_of("/elsewhere"), b"the application"),
        (scope_of("/here", method="POST"), b"the application"),
        (scope_of("/here", root_path="/prefix"), b"the application"),
    ],
)
async def test_other_requests_get_to_the_application(scope: Scope, said: bytes) -> None:
    assert (await ask(scope))[1]["body"] == said


async def test_the_scope_names_the_route_as_fastapi_does() -> None:
    scope = scope_of("/here")
    await ask(scope)
    assert (scope["route"].path, scope["endpoint"], scope["path_params"]) == ("/here", plain, {})


@pytest.mark.parametrize("error", [RateLimited("slowly"), HTTPException(404)])
async def test_an_error_before_the_answer_is_rendered(error: Exception) -> None:
    async def fail(request: Request) -> Response:
        raise error

    start, body = await ask(scope_of("/here"), fail)
    assert (start["status"], body["body"]) == (418, f"rendered {type(error).__name__}".encode())


async def test_an_error_within_the_answer_breaks_it_off() -> None:
    class Broken(Response):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RateLimited("slowly")

    async def begin(request: Request) -> Response:
        return Broken()

    with pytest.raises(RateLimited):
        await ask(scope_of("/here"), begin)


async def test_a_bug_is_left_to_the_layers_around() -> None:
    async def fail(request: Request) -> Response:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await ask(scope_of("/here"), fail)
