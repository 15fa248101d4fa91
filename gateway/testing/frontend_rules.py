"""The rules that every frontend keeps, as checks by name that raise `AssertionError`.

await check_frontend(FrontendCase(path="/my/chat", ...))
"""

import json
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import anyio
import anyio.lowlevel

from gateway.context import RequestContext
from gateway.errors import GatewayError, Overloaded
from gateway.markers import hookimpl
from gateway.testing.backends import Script, ScriptedBackend
from gateway.testing.events import text_answer
from gateway.testing.exchange import ADDRESS, USER_AGENT, Exchange, exchanging
from gateway.testing.gateways import Served, serving
from gateway.testing.rules import expect, expect_soon, named, within
from gateway.types import ChatRequest

_ANSWER: Final = text_answer("Hello", " there")
_FIRST: Final = 3
"""The number of events of the answer up to its first text."""
_PIECE: Final = 100
"""Bytes that are sent at a time."""


@dataclass(frozen=True, kw_only=True)
class FrontendCase:
    """A frontend, and how to tell its errors.

    `body` and `stream_body` are requests to `path` for the model `test-model`, whole and streamed;
    `malformed` is one that it has to reject. `is_error` says whether a parsed JSON body is an error
    in the frontend's form, `is_stream_error` whether the text of a stream shows one.

    `installed`, `plugins` and `config` are as `serving` takes them. `quick_keepalive` are the keys
    of the YAML with which a stream is kept alive after a tenth of a second or less; without them
    "keeps-alive" is not checked. Each wait, for an answer, a part of it, or the gateway's start and
    end, ends after so many `seconds`.
    """

    path: str
    body: dict[str, Any]
    stream_body: dict[str, Any]
    malformed: dict[str, Any]
    is_error: Callable[[Any], bool]
    is_stream_error: Callable[[str], bool]
    installed: tuple[str, ...] = ()
    plugins: tuple[object, ...] = ()
    config: Mapping[str, object] = field(default_factory=dict)
    quick_keepalive: Mapping[str, object] | None = None
    seconds: float = 30


async def check_frontend(case: FrontendCase, rules: Collection[str] | None = None) -> None:
    """Check all rules, or those named in `rules`.

    Raises `AssertionError` that begins with the name of the first that is broken.
    """
    async with _bench(case) as bench:
        for name in FRONTEND_RULES if rules is None else rules:
            with named(name):
                await _RULES[name](bench)


class _Probe:
    """Sees the context of each request, and sets a header of its answer."""

    def __init__(self) -> None:
        self.seen: list[tuple[ChatRequest, RequestContext]] = []

    @hookimpl
    def gateway_transform_request(self, request: ChatRequest, ctx: RequestContext) -> None:
        self.seen.append((request, ctx))
        ctx.headers["x-probe"] = "1"


class _Bench:
    """A gateway with the frontend, for one exchange after another."""

    def __init__(self, case: FrontendCase) -> None:
        self.case = case
        self.probe = _Probe()
        self.backend = ScriptedBackend(reply=lambda _: self._script)
        self.served: Served
        self._script: Script = ()

    @asynccontextmanager
    async def asking(
        self,
        body: dict[str, Any] | bytes | Iterator[bytes],
        script: Script = _ANSWER,
        content_type: str = "application/json",
    ) -> AsyncGenerator[Exchange]:
        """A request, while the backend answers it with `script`."""
        self._script, self.backend.closed = script, 0
        self.backend.requests.clear()
        self.probe.seen.clear()
        sent = json.dumps(body).encode() if isinstance(body, dict) else body
        path, seconds = self.case.path, self.case.seconds
        async with exchanging(self.served, path, sent, seconds, content_type) as exchange:
            yield exchange

    async def ask(
        self,
        body: dict[str, Any] | bytes | Iterator[bytes],
        script: Script = _ANSWER,
        content_type: str = "application/json",
    ) -> Exchange:
        """A request and its whole answer."""
        async with self.asking(body, script, content_type) as exchange:
            await exchange.end()
        return exchange

    async def expect_asked(self, exchange: Exchange) -> None:
        """Wait until the backend has the request, and everything waits for the backend."""
        expected = "a request to the backend"
        await self.expect_soon(lambda: self.backend.requests, expected, exchange)
        expected = "everything to wait for the backend"
        await within(self.case.seconds, expected, anyio.wait_all_tasks_blocked())

    async def expect_soon(
        self, holds: Callable[[], object], expected: str, exchange: Exchange
    ) -> None:
        """Wait until it holds."""
        await expect_soon(holds, self.case.seconds, expected, lambda: exchange.seen)

    def expect_error(self, exchange: Exchange, status: int, reason: str) -> None:
        """Check the status and the form of an error."""
        holds = exchange.status == status and _finds(self.case.is_error, exchange.json())
        expected = f"the status {status} and an error in the frontend's form for {reason}"
        expect(holds, expected, exchange.seen)

    def expect_not_asked(self) -> None:
        """Check that the backend has no request."""
        expect(not self.backend.requests, "no request to the backend", "there was one")


def _finds(is_error: Callable[[Any], bool], answer: object) -> bool:
    """Whether an answer is an error; one that the predicate can't read is none."""
    try:
        return is_error(answer)
    except Exception:  # noqa: BLE001 - such as KeyError, for a body that lacks something
        return False


@asynccontextmanager
async def _bench(
    case: FrontendCase, config: Mapping[str, object] | None = None
) -> AsyncGenerator[_Bench]:
    bench = _Bench(case)
    step = "start"
    with anyio.move_on_after(case.seconds) as scope:
        async with serving(
            *case.plugins,
            bench.probe,
            backend=bench.backend,
            installed=case.installed,
            config={**case.config, **(config or {})},
        ) as bench.served:
            scope.deadline = math.inf
            try:
                yield bench
            finally:
                step, scope.deadline = "end", anyio.current_time() + case.seconds
    if scope.cancelled_caught:
        raise AssertionError(f"the gateway did not {step} within {case.seconds:g} s")


async def _answers_whole(bench: _Bench) -> None:
    exchange = await bench.ask(bench.case.body)
    said = exchange.json() is not None and b"Hello there" in exchange.body
    expect(exchange.status == HTTPStatus.OK and said, "200 and JSON with the text", exchange.seen)


async def _streams(bench: _Bench) -> None:
    more = anyio.Event()
    script: Script = [*_ANSWER[:_FIRST], more, *_ANSWER[_FIRST:]]
    async with bench.asking(bench.case.stream_body, script) as exchange:
        expected = "the first text before the backend has the next"
        await bench.expect_soon(lambda: b"Hello" in exchange.body, expected, exchange)
        more.set()
        await exchange.end()
    ended = exchange.status == HTTPStatus.OK and b"there" in exchange.body
    expect(ended and exchange.raised is None, "200 and the rest of the text", exchange.seen)


async def _holds_back_the_status(bench: _Bench) -> None:
    first = anyio.Event()
    async with bench.asking(bench.case.stream_body, [first, *_ANSWER]) as exchange:
        await bench.expect_asked(exchange)
        early = exchange.status
        first.set()
        await exchange.end()
    expect(early is None, "no status before the backend's first event", f"{early} was sent")


async def _ends_streams_with_an_error(bench: _Bench) -> None:
    for failure in (Overloaded("full"), KeyError("a bug")):
        exchange = await bench.ask(bench.case.stream_body, [*_ANSWER[:_FIRST], failure])
        shown = _finds(bench.case.is_stream_error, exchange.body.decode())
        expect(
            shown and exchange.raised is None,
            f"an error in the stream after {failure!r} half-way",
            exchange.seen,
        )


async def _notices_a_disconnect(bench: _Bench) -> None:
    moments = (
        ("in the middle of a stream", bench.case.stream_body, _FIRST),
        ("before a stream's first event", bench.case.stream_body, 0),
        ("while a whole answer is made", bench.case.body, _FIRST),
    )
    for moment, body, events in moments:
        async with bench.asking(body, [*_ANSWER[:events], anyio.Event()]) as exchange:
            await bench.expect_asked(exchange)
            exchange.leave.set()
            await expect_soon(
                lambda: bench.backend.closed,
                bench.case.seconds,
                f"the backend's stream to be closed when the client disconnects {moment}",
                lambda: "it was still open",
            )


async def _renders_errors(bench: _Bench) -> None:
    for failure in (Overloaded("full"), KeyError("a bug")):
        status = failure.status if isinstance(failure, GatewayError) else 500
        for body in (bench.case.body, bench.case.stream_body):
            exchange = await bench.ask(body, [failure])
            bench.expect_error(exchange, status, f"{failure!r} of the backend")


async def _rejects_malformed_bodies(bench: _Bench) -> None:
    for body in (bench.case.malformed, b"{"):
        exchange = await bench.ask(body)
        bench.expect_error(exchange, HTTPStatus.BAD_REQUEST, f"the body {body!r}")
        bench.expect_not_asked()


async def _requires_json(bench: _Bench) -> None:
    # A web page can post plain text to any address without the browser asking first.
    exchange = await bench.ask(bench.case.body, content_type="text/plain")
    bench.expect_error(exchange, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a body of text/plain")
    bench.expect_not_asked()


async def _refuses_large_bodies(plain: _Bench) -> None:
    body = json.dumps(plain.case.body).encode()
    limit = len(body) + _PIECE

    def pieces() -> Iterator[bytes]:
        yield body
        yield from [b" " * _PIECE] * 100

    async with _bench(plain.case, {"limits": {"body_bytes": limit}}) as bench:
        exchange = await bench.ask(pieces())
    bench.expect_error(exchange, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {limit} bytes")
    seen = f"{exchange.taken} bytes were read"
    expect(exchange.taken <= limit + _PIECE, f"no more than {limit} bytes to be read", seen)


async def _keeps_alive(plain: _Bench) -> None:
    if plain.case.quick_keepalive is None:
        return
    more = anyio.Event()
    script: Script = [*_ANSWER[:_FIRST], more, *_ANSWER[_FIRST:]]
    async with (
        _bench(plain.case, plain.case.quick_keepalive) as bench,
        bench.asking(bench.case.stream_body, script) as exchange,
    ):
        await bench.expect_soon(lambda: b"Hello" in exchange.body, "a text", exchange)
        so_far = len(exchange.body)
        expected = "bytes that keep a silent stream alive"
        await bench.expect_soon(lambda: len(exchange.body) > so_far, expected, exchange)
        more.set()
        await exchange.end()
    expect(b"there" in exchange.body, "the rest of the text", exchange.seen)


async def _passes_the_context(bench: _Bench) -> None:
    for body in (bench.case.body, bench.case.stream_body):
        exchange = await bench.ask(body)
        expect(bench.probe.seen, "a request", exchange.seen)
        [(request, ctx)] = bench.probe.seen
        for name, seen, expected in (
            ("request_id of the context", ctx.request_id, exchange.headers.get("x-request-id")),
            ("body_bytes of the context", ctx.body_bytes, len(json.dumps(body))),
            ("user_agent of the client", request.client.user_agent, USER_AGENT),
            ("address of the client", request.client.address, ADDRESS),
        ):
            expect(seen == expected, f"{expected!r} as {name}", f"it was {seen!r}")


async def _sends_headers(bench: _Bench) -> None:
    for body in (bench.case.body, bench.case.stream_body):
        exchange = await bench.ask(body)
        for name, value in (("x-probe", "1"), ("x-dragoman-model", "scripted-1")):
            seen = f"the headers were {exchange.headers}"
            expect(exchange.headers.get(name) == value, f"the header {name}: {value}", seen)


_Rule: TypeAlias = Callable[[_Bench], Awaitable[None]]

_RULES: Final[dict[str, _Rule]] = {
    "answers-whole": _answers_whole,
    "streams": _streams,
    "holds-back-the-status": _holds_back_the_status,
    "ends-streams-with-an-error": _ends_streams_with_an_error,
    "notices-a-disconnect": _notices_a_disconnect,
    "renders-errors": _renders_errors,
    "rejects-malformed-bodies": _rejects_malformed_bodies,
    "requires-json": _requires_json,
    "refuses-large-bodies": _refuses_large_bodies,
    "keeps-alive": _keeps_alive,
    "passes-the-context": _passes_the_context,
    "sends-headers": _sends_headers,
}

FRONTEND_RULES: Final = tuple(_RULES)
"""The names of all rules, in the order in which they are checked."""
