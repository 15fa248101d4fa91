"""What the gateway expects of every frontend, as checks that raise `AssertionError`.

They speak ASGI themselves: a client that goes away, and a status that is held back until the
first event, can't be seen through a client library that reads whole answers.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio

from gateway.errors import GatewayError, Overloaded
from gateway.testing.backends import Script, ScriptedBackend
from gateway.testing.events import text_answer
from gateway.testing.gateways import Served, serving

OK = 200


@dataclass(frozen=True, kw_only=True)
class FrontendCase:
    """A frontend, and how to tell its errors.

    `body` and `stream_body` are requests to `path` for the model `test-model`, whole and
    streamed; `malformed` is one that it has to refuse. `is_error` says whether a parsed JSON
    body is an error in the frontend's form, `is_stream_error` whether the text of a stream
    shows one. `installed` and `plugins` are as `serving` takes them.
    """

    path: str
    body: dict[str, Any]
    stream_body: dict[str, Any]
    malformed: dict[str, Any]
    is_error: Callable[[Any], bool]
    is_stream_error: Callable[[str], bool]
    installed: tuple[str, ...] = ()
    plugins: tuple[object, ...] = ()
    seconds: float = 30


@dataclass
class _Exchange:
    """One HTTP exchange as the server sees it. `leave` lets the client go away."""

    status: int | None = None
    body: bytes = b""
    started: anyio.Event = field(default_factory=anyio.Event)
    leave: anyio.Event = field(default_factory=anyio.Event)

    async def run(self, served: Served, path: str, body: dict[str, Any]) -> "_Exchange":
        sent = iter([{"type": "http.request", "body": json.dumps(body).encode()}])

        async def receive() -> dict[str, Any]:
            if (message := next(sent, None)) is not None:
                return message
            await self.leave.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:  # noqa: ANN401 - a message of ASGI
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.started.set()
            else:
                self.body += message.get("body", b"")

        await served.app(_scope(path), receive, send)
        return self


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"host", b"gateway")],
        "client": ("127.0.0.1", 1),
        "server": ("gateway", 80),
    }


async def check_frontend(case: FrontendCase) -> None:
    """Run all checks. Raises `AssertionError` with the rule that is broken."""
    checks = (
        _answers,
        _refuses_in_its_form,
        _fails_in_its_form,
        _holds_the_status_back,
        _shows_what_fails_half_way,
        _closes_when_the_client_goes,
    )
    for check in checks:
        with anyio.fail_after(case.seconds):
            await check(case)


def _rule(holds: bool, rule: str, exchange: _Exchange) -> None:  # noqa: FBT001
    if not holds:
        said = exchange.body[:500].decode(errors="replace")
        raise AssertionError(f"broken: {rule} (status {exchange.status}: {said})")


async def _exchange(case: FrontendCase, body: dict[str, Any], *script: Any) -> _Exchange:  # noqa: ANN401
    backend = ScriptedBackend(list(script)) if script else ScriptedBackend()
    async with serving(*case.plugins, backend=backend, installed=case.installed) as served:
        return await _Exchange().run(served, case.path, body)


def _is_error(case: FrontendCase, exchange: _Exchange) -> bool:
    return exchange.status != OK and case.is_error(json.loads(exchange.body))


async def _answers(case: FrontendCase) -> None:
    for body in (case.body, case.stream_body):
        exchange = await _exchange(case, body)
        _rule(exchange.status == OK and b"Hello" in exchange.body, "an answer arrives", exchange)


async def _refuses_in_its_form(case: FrontendCase) -> None:
    exchange = await _exchange(case, case.malformed)
    _rule(_is_error(case, exchange), "what is malformed is refused in its form", exchange)


async def _fails_in_its_form(case: FrontendCase) -> None:
    for failure in (Overloaded("full"), KeyError("a bug")):
        for body in (case.body, case.stream_body):
            exchange = await _exchange(case, body, failure)
            _rule(_is_error(case, exchange), "a failure has its form", exchange)
            status = failure.status if isinstance(failure, GatewayError) else 500
            _rule(exchange.status == status, f"a failure has its status, {status}", exchange)


async def _holds_the_status_back(case: FrontendCase) -> None:
    gate = anyio.Event()
    backend = ScriptedBackend([gate, *text_answer("Hello")])
    async with serving(*case.plugins, backend=backend, installed=case.installed) as served:
        exchange = _Exchange()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(exchange.run, served, case.path, case.stream_body)
            await anyio.wait_all_tasks_blocked()
            early = exchange.started.is_set()
            gate.set()
    _rule(not early, "the status waits for the first event", exchange)


async def _shows_what_fails_half_way(case: FrontendCase) -> None:
    for failure in (Overloaded("full"), KeyError("a bug")):
        script: Script = [*text_answer("Hello")[:3], failure]
        exchange = await _exchange(case, case.stream_body, *script)
        text = exchange.body.decode()
        _rule(case.is_stream_error(text), "a failure half-way can be seen", exchange)


async def _closes_when_the_client_goes(case: FrontendCase) -> None:
    for body, begun in ((case.stream_body, 3), (case.stream_body, 0), (case.body, 3)):
        backend = ScriptedBackend([*text_answer("Hello")[:begun], anyio.Event()])
        async with serving(*case.plugins, backend=backend, installed=case.installed) as served:
            exchange = _Exchange()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(exchange.run, served, case.path, body)
                await anyio.wait_all_tasks_blocked()
                exchange.leave.set()
        _rule(backend.closed == 1, "the stream is closed when the client goes", exchange)
