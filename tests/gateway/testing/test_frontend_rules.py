"""The rules for frontends: for each, something that breaks it and no other, found by its name.

The frontend is the complete example. What breaks a rule is put around it, as middleware.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import anyio.lowlevel
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.testing import (
    FRONTEND_RULES,
    FrontendCase,
    check_frontend,
)
from tests.gateway.core_support import plugin

EXAMPLE = Path(__file__).parents[3] / "examples" / "complete" / "lines_frontend.py"
ASKED = {"model": "test-model", "turns": ["Hi"]}
SECONDS = 1
"""For a step that is never done; each of the others takes milliseconds."""

Around: TypeAlias = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]


def case(around: Around | None = None, **changes: Any) -> FrontendCase:
    plugins: tuple[object, ...] = (EXAMPLE,)
    if around is not None:

        def gateway_asgi_wrapper() -> Callable[[ASGIApp], ASGIApp]:
            return lambda app: lambda scope, receive, send: around(app, scope, receive, send)

        plugins = (EXAMPLE, plugin(gateway_asgi_wrapper))
    values: dict[str, Any] = {
        "path": "/lines",
        "body": ASKED,
        "stream_body": {**ASKED, "stream": True},
        "malformed": {"model": "test-model"},
        "is_error": lambda body: body is not None and set(body) == {"error"},
        "is_stream_error": lambda text: "error" in json.loads(text.splitlines()[-1]),
        "plugins": plugins,
        "quick_keepalive": {"plugins": {"lines_frontend": {"keepalive_seconds": 0.02}}},
    }
    return FrontendCase(**{**values, **changes})


def changing(change: Callable[[Message], Message | None]) -> Around:
    """Middleware that changes what is sent, or leaves it out."""

    async def around(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def changed(message: Message) -> None:
            if scope["type"] == "http" and (result := change(message)) is not None:
                await send(result)

        await app(scope, receive, changed)

    return around


def in_error(status: Callable[[int], bool], change: Callable[[Message], Message]) -> Around:
    """Middleware that changes the answers with one of these statuses."""
    found: list[int] = []

    def changed(message: Message) -> Message:
        if message["type"] == "http.response.start":
            found[:] = [message["status"]]
        return change(message) if status(found[0]) else message

    return changing(changed)


def body(change: Callable[[bytes], bytes]) -> Callable[[Message], Message]:
    """Change the body of a message."""
    return lambda message: {**message, "body": change(message.get("body", b""))}


def without(piece: Callable[[bytes], bool]) -> Around:
    """Middleware that leaves out pieces of a body."""
    return changing(lambda message: None if piece(message.get("body", b"")) else message)


async def early(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends the status when there is none for a while."""
    started = anyio.Event()

    async def once(message: Message) -> None:
        if message["type"] != "http.response.start" or not started.is_set():
            started.set()
            await send(message)

    async def send_early() -> None:
        for _ in range(200):
            await anyio.lowlevel.checkpoint()
        if not started.is_set():
            await once({"type": "http.response.start", "status": 200, "headers": []})

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send_early)
        await app(scope, receive, once)


async def buffered(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends everything at the end."""
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    for message in sent:
        await send(message)


async def deaf(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Doesn't hear that the client disconnects."""

    async def hear() -> Message:
        message = await receive()
        if message["type"] == "http.disconnect":
            await anyio.sleep_forever()
        return message

    await app(scope, hear, send)


async def any_type(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Takes every body for JSON."""
    headers = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
    headers.append((b"content-type", b"application/json"))
    await app({**scope, "headers": headers}, receive, send)


async def elsewhere(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Loses the client's address."""
    await app({**scope, "client": None}, receive, send)


async def greedy(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the whole body before anything else."""
    pieces: list[bytes] = []
    while (message := await receive())["type"] == "http.request":
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    whole: list[Message] = [{"type": "http.request", "body": b"".join(pieces)}]

    async def once() -> Message:
        return whole.pop() if whole else await receive()

    await app(scope, once, send)


def no_model(message: Message) -> Message:
    pairs = message.get("headers", ())
    kept = [pair for pair in pairs if pair[0] != b"x-dragoman-model"]
    return {**message, "headers": kept} if pairs else message


OOPS = body(lambda said: b"oops" if said else b"")

BROKEN: dict[str, tuple[FrontendCase, str]] = {
    "answers-whole": (
        case(changing(body(lambda said: said.replace(b"Hello there", b"")))),
        '200 and JSON with the text, but the answer had the status 200 and the body \'{"text":""',
    ),
    "streams": (
        case(buffered, quick_keepalive=None),
        "the first text before the backend has the next within 1 s, but .* status None",
    ),
    "holds-back-the-status": (
        case(early),
        "no status before the backend's first event, but 200 was sent",
    ),
    "ends-streams-with-an-error": (
        case(without(lambda said: said.startswith(b'{"error"') and said.endswith(b"\n"))),
        r"an error in the stream after Overloaded\('full'\) half-way, but .* the status 200",
    ),
    "notices-a-disconnect": (
        case(deaf),
        "the backend's stream to be closed when the client disconnects in the middle of a stream "
        "within 1 s, but it was still open",
    ),
    "renders-errors": (
        case(in_error(lambda status: status >= 500, OOPS)),
        r"the status 503 and an error in the frontend's form for Overloaded\('full'\) of the "
        "backend, but the answer had the status 503 and the body 'oops'",
    ),
    "rejects-malformed-bodies": (
        case(in_error(lambda status: status == 400, OOPS)),
        "the status 400 and an error in the frontend's form for the body {'model': 'test-model'}",
    ),
    "requires-json": (
        case(any_type),
        "the status 415 and an error .* a body of text/plain, but .* the status 200",
    ),
    "refuses-large-bodies": (
        case(greedy),
        r"no more than \d+ bytes to be read, but \d+ bytes were read",
    ),
    "keeps-alive": (
        case(without(lambda said: said == b" ")),
        "bytes that keep a silent stream alive within 1 s, but the answer had the status 200",
    ),
    "passes-the-context": (
        case(elsewhere),
        "'127.0.0.1' as address of the client, but it was None",
    ),
    "sends-headers": (
        case(changing(no_model)),
        "the header x-dragoman-model: scripted-1, but the headers were {",
    ),
}


async def test_the_example_keeps_the_rules() -> None:
    await check_frontend(case())


def test_each_rule_has_a_frontend_that_breaks_it() -> None:
    assert set(BROKEN) == set(FRONTEND_RULES)


@pytest.mark.parametrize("name", FRONTEND_RULES)
async def test_a_breach_is_found_by_its_rule_and_no_other(name: str) -> None:
    broken, expected = BROKEN[name]
    with pytest.raises(AssertionError, match=f"^{name}: expected {expected}"):
        await check_frontend(replace(broken, seconds=SECONDS), [name])
    await check_frontend(broken, [other for other in FRONTEND_RULES if other != name])


async def test_without_a_quick_keepalive_it_is_not_checked() -> None:
    await check_frontend(case(without(lambda said: said == b" "), quick_keepalive=None))


async def test_an_exception_that_breaks_the_connection_is_part_of_what_was_seen() -> None:
    async def broken(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def fail(message: Message) -> None:
            await send(message)
            raise RuntimeError("a bug")

        await app(scope, receive, fail)

    with pytest.raises(AssertionError, match=r"RuntimeError\('a bug'\) broke the connection"):
        await check_frontend(case(broken))


@pytest.mark.parametrize("moment", ["start", "end"])
async def test_a_gateway_that_hangs_is_named(moment: str) -> None:
    @asynccontextmanager
    async def hanging() -> AsyncGenerator[None]:
        if moment == "start":
            await anyio.sleep_forever()
        yield
        await anyio.sleep_forever()

    def gateway_lifespan() -> AbstractAsyncContextManager[None]:
        return hanging()

    hangs = case(plugins=(EXAMPLE, plugin(gateway_lifespan)), seconds=0.2)
    with pytest.raises(AssertionError, match=f"^the gateway did not {moment} within 0.2 s$"):
        await check_frontend(hangs, ["answers-whole"])


async def test_middleware_that_never_rests_is_named() -> None:
    async def busy(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def spin() -> None:
            while True:
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(spin)
            await app(scope, receive, send)
            tasks.cancel_scope.cancel()

    expected = "^holds-back-the-status: expected everything to wait for the backend within 0.2 s"
    with pytest.raises(AssertionError, match=expected):
        await check_frontend(case(busy, seconds=0.2), ["holds-back-the-status"])
