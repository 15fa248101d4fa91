"""The stand-in as a server on loopback, in the caller's event loop."""

import json
import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.from_thread import start_blocking_portal

from gateway.content.surrogates import whole_characters
from gateway_claude_code.facts.documented import documented
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.connection import GONE, Connection, HttpRequest
from gateway_claude_code.upstream.events import error_event
from gateway_claude_code.upstream.playback import Dropped, play
from gateway_claude_code.upstream.rules import RULES, Broken, first_broken
from gateway_claude_code.upstream.script import Failure, MessagesRequest, Reply, Script
from gateway_claude_code.upstream.signing import signed

log = logging.getLogger("gateway_claude_code.upstream")

NOT_JSON: Final = "The request body is not valid JSON: no low surrogate in string"
"""As quoted from the live API in anthropics/claude-code#3277."""

FactsOf: TypeAlias = Callable[[str], ModelFacts]
"""From a model's name to its facts."""


def documented_facts(model: str) -> ModelFacts:
    """The facts of Anthropic's documentation."""
    return documented(model).facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A request that broke a rule; `broken` has the rule and the answer."""

    request: MessagesRequest
    broken: Broken

    @property
    def rule(self) -> str:
        """The name of the rule."""
        return self.broken.rule.name


class Upstream:
    """An `async with` that listens on a free port of 127.0.0.1 and answers from a script.

    Everything but `POST /v1/messages` is a 404. Leaving it aborts all open answers.
    A request that the real API refuses is refused before the script is asked: by the rules of
    `rules.RULES`, except those named in `rules_off`, for the model of the request. `facts` gives
    the facts of each model. Raises `ValueError` for an unknown rule.

    `record` keeps every request in `requests`, in order of arrival, and the refused ones also in
    `refusals`; leave it off if prompts must not accumulate. `abandoned` counts the answers that
    the client did not wait for.
    """

    def __init__(
        self,
        script: Script,
        *,
        record: bool = True,
        rules_off: Collection[str] = (),
        facts: FactsOf = documented_facts,
    ) -> None:
        if unknown := set(rules_off) - {rule.name for rule in RULES}:
            raise ValueError(f"unknown rules: {', '.join(sorted(unknown))}")
        self.script = script
        self.facts = facts
        self.rules = tuple(rule for rule in RULES if rule.name not in rules_off)
        self.requests: list[MessagesRequest] = []
        self.refusals: list[Refused] = []
        self.abandoned = 0
        self._record = record
        self._port: int | None = None
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end. Raises `RuntimeError` before it listens."""
        if self._port is None:
            raise RuntimeError("the upstream is not listening")
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        self._port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - not Django's
        self._stack.push_async_callback(listener.aclose)
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(listener.serve, self._serve)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._port = None
        await self._stack.aclose()

    async def _serve(self, stream: SocketStream) -> None:
        connection = Connection(stream)
        async with stream:
            try:
                while True:
                    await self._respond(connection, await connection.read_request())
            except (*GONE, Dropped):
                return
            except Exception:
                # Left alone it would end the listener, and every other answer with it.
                log.exception("a connection failed")

    async def _respond(self, connection: Connection, http: HttpRequest) -> None:
        if (http.method, http.path) != ("POST", "/v1/messages"):
            missing = error_event("not_found_error", f"{http.method} {http.path}")
            await connection.send_json(404, missing, {}, bodiless=http.method == "HEAD")
            return
        request = _parse(http)
        if request is None:
            await connection.send_json(400, error_event("invalid_request_error", NOT_JSON), {})
            return
        if self._record:
            self.requests.append(request)
        await self._play_while_wanted(connection, self._reply_to(request), request)

    def _reply_to(self, request: MessagesRequest) -> Reply:
        try:
            broken = first_broken(request, self.facts(request.model), self.rules)
            if broken is None:
                return signed(self.script(request), request)
        except Exception as error:
            log.exception("the script failed")
            return Failure(500, "api_error", f"the script failed: {error!r}")
        log.info("refused by the rule %s: %s", broken.rule.name, broken.refusal.message)
        if self._record:
            self.refusals.append(Refused(request=request, broken=broken))
        refusal = broken.refusal
        return Failure(refusal.status, refusal.error_type, refusal.message)

    async def _play_while_wanted(
        self, connection: Connection, reply: Reply, request: MessagesRequest
    ) -> None:
        async def break_off_when_gone() -> None:
            await connection.wait_until_gone()
            self.abandoned += 1
            tasks.cancel_scope.cancel()

        whole = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(break_off_when_gone)
            with suppress(*GONE, Dropped):
                await play(connection, reply, request, f"req_{uuid.uuid4().hex[:24]}")
                whole = True
            tasks.cancel_scope.cancel()
        if not whole:
            raise Dropped


def _parse(http: HttpRequest) -> MessagesRequest | None:
    try:
        body: Any = json.loads(http.body)
    except ValueError:
        return None
    if not isinstance(body, dict) or _has_halves(http.body, body):
        return None
    return MessagesRequest(
        body=body, size=len(http.body), headers=http.headers, received=time.monotonic()
    )


def _has_halves(raw: bytes, body: object) -> bool:
    """Whether it has lone surrogates, which the API does not accept as JSON."""
    if b"\\ud" not in raw and b"\\uD" not in raw:
        return False
    text = json.dumps(body, ensure_ascii=False)
    return whole_characters(text) != text


@contextmanager
def running_upstream(
    script: Script,
    *,
    record: bool = True,
    rules_off: Collection[str] = (),
    facts: FactsOf = documented_facts,
) -> Iterator[Upstream]:
    """An `Upstream` in a thread of its own, for callers that are not asynchronous."""
    with start_blocking_portal() as portal:
        upstream = Upstream(script, record=record, rules_off=rules_off, facts=facts)
        with portal.wrap_async_context_manager(upstream):
            yield upstream
