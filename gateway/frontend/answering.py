"""A call on its way through the gateway: read, decoded, and answered whole or streamed."""

import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

import anyio.lowlevel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.config.settings import LimitsConfig
from gateway.context import RequestContext
from gateway.errors import as_server_fault
from gateway.frontend.call import Call, Decode, Encoding, Incoming
from gateway.frontend.encoder import StreamEncoder
from gateway.frontend.request.body import json_object, read_body
from gateway.frontend.request.context import admit, client_of, contexts_of
from gateway.frontend.response.choices import Choices, open_choices
from gateway.frontend.response.disconnect import unless_disconnected
from gateway.frontend.response.headers import answer_headers, list_value
from gateway.frontend.response.held_answer import HeldAnswer, HeldResponse, in_pieces
from gateway.frontend.response.json_text import dump
from gateway.frontend.response.live_response import LiveResponse
from gateway.interface import Gateway
from gateway.load.off_loop import off_loop
from gateway.streams import AnswerStream

log = logging.getLogger("gateway.frontend")

CLIENT_CLOSED_REQUEST: Final = 499
"""The status that nginx logs for it. Only middleware sees it."""

KEEPALIVE_SECONDS: Final = 15.0
"""The silence in a stream after which something is sent, unless a frontend chooses another."""


async def answer(
    gateway: Gateway,
    request: Request,
    decode: Decode,
    *,
    keepalive_seconds: float = KEEPALIVE_SECONDS,
) -> Response:
    """The whole way of a request whose body is JSON: a frontend's routes return this.

    The body is read within `limits`, decoded, and answered as `Call.stream` says. A whole answer
    is stopped when the client disconnects. A streamed one begins with the answer's first event,
    so that a failure until then is an ordinary error; a later one is encoded by
    `StreamEncoder.fail`. Raises `GatewayError`.
    """
    limits = gateway.config.values.limits
    body = await read_body(request, limits)

    def decoded() -> tuple[Call, Encoding]:
        return decode(_incoming(request, body, limits))

    call, encoding = await off_loop(len(body), decoded)
    return await answer_decoded(
        gateway,
        request,
        call,
        encoding,
        body_bytes=len(body),
        keepalive_seconds=keepalive_seconds,
    )


async def answer_decoded(
    gateway: Gateway,
    request: Request,
    call: Call,
    encoding: Encoding,
    *,
    body_bytes: int,
    keepalive_seconds: float = KEEPALIVE_SECONDS,
) -> Response:
    """The second half of `answer`, for a frontend that has to wait for something to decode with.

    Its routes call `read_incoming`, decode that themselves, and return this. `body_bytes` is the
    size of all that the call was decoded from. Raises `GatewayError`.
    """
    admit(request, call.choices)
    exchange = Exchange(
        gateway=gateway,
        call=call,
        encoding=encoding,
        contexts=contexts_of(request, call, body_bytes),
    )
    if call.stream:
        return StreamedAnswer(exchange, keepalive_seconds)
    return await whole_answer(exchange, request.receive)


async def read_incoming(gateway: Gateway, request: Request) -> Incoming:
    """Read a body in JSON within `limits`, without decoding it. Raises `GatewayError`."""
    limits = gateway.config.values.limits
    body = await read_body(request, limits)
    return await off_loop(len(body), _incoming, request, body, limits)


def _incoming(request: Request, body: bytes, limits: LimitsConfig) -> Incoming:
    value, client = json_object(body, limits), client_of(request)
    return Incoming(body=value, client=client, limits=limits, request=request, body_bytes=len(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A decoded call, with a context for each choice."""

    gateway: Gateway
    call: Call
    encoding: Encoding
    contexts: tuple[RequestContext, ...]

    def open(self) -> AbstractAsyncContextManager[Choices]:
        """Open the answers."""
        return open_choices(self._open_answer, self.contexts, self.call.stop)

    async def _open_answer(self, index: int) -> AnswerStream:
        return await self.gateway.open(self.call.requests[index], self.contexts[index])

    async def collect(self) -> Response:
        """The whole answer. Raises `GatewayError`."""
        pack = not self.call.whole_texts
        answers = [HeldAnswer(pack=pack) for _ in self.contexts]
        async with self.open() as choices:
            model = await choices.start()
            async for index, event in choices:
                for piece in in_pieces(event):
                    if answers[index].add(piece):  # a backend may never wait for anything
                        await anyio.lowlevel.checkpoint()
        whole = self.encoding.whole([answer.build() for answer in answers])
        body = await off_loop(sum(answer.unpacked for answer in answers), dump, whole)
        packed = {name: text for answer in answers for name, text in answer.packed.items()}
        if packed:
            return HeldResponse(body, packed, self.headers(model))
        return Response(body, headers=self.headers(model), media_type="application/json")

    def headers(self, model: str | None) -> dict[str, str]:
        """The answer's headers, as far as they are known when the first events are there.

        Choices begin in order, so the first one's context says the most.
        """
        ignored = [name for ctx in self.contexts for name in ctx.ignored]
        if ignored:
            log.info("%s: ignored %s", self.contexts[0].request_id, list_value(ignored))
        return answer_headers(model, ignored, [ctx.headers for ctx in reversed(self.contexts)])


async def whole_answer(exchange: Exchange, receive: Receive) -> Response:
    """Answer when everything is there, and stop early when nobody waits for it any more."""
    try:
        return await unless_disconnected(receive, exchange.collect)
    except ClientDisconnect:
        return Response(status_code=CLIENT_CLOSED_REQUEST)


class StreamedAnswer(Response):
    """Answers as events come. Until the first ones are there a failure is an ordinary error.

    Opening and closing the answers both happen within `__call__`: nothing is left open if the
    response is never sent.
    """

    def __init__(self, exchange: Exchange, keepalive_seconds: float) -> None:
        super().__init__()
        self._exchange = exchange
        self._keepalive_seconds = keepalive_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        encoder = self._exchange.encoding.stream(self._exchange.call.choices)
        try:
            async with self._exchange.open() as choices:
                model = await unless_disconnected(receive, choices.start)
                response = LiveResponse(
                    _chunks(choices, encoder),
                    media_type=encoder.media_type,
                    keepalive=encoder.keepalive,
                    headers=self._exchange.headers(model),
                    keepalive_seconds=self._keepalive_seconds,
                )
                await response(scope, receive, send)
        except ClientDisconnect:
            await Response(status_code=CLIENT_CLOSED_REQUEST)(scope, receive, send)


async def _chunks(choices: Choices, encoder: StreamEncoder) -> AsyncGenerator[bytes]:
    try:
        async for index, event in choices:
            for piece in in_pieces(event):
                if chunk := encoder.encode(index, piece):
                    yield chunk
        yield encoder.finish()
    except Exception as error:  # noqa: BLE001 - the status is sent, so this is the one way left
        yield encoder.fail(as_server_fault(error))
