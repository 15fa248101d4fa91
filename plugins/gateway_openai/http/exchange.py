"""One call to the gateway, answered whole or streamed."""

import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import anyio.lowlevel
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.context import RequestContext
from gateway.errors import as_server_fault
from gateway.interface import Gateway
from gateway.load.off_loop import off_loop
from gateway.sse import EventStreamResponse
from gateway.streams import AnswerStream
from gateway_openai.decode.call import Call
from gateway_openai.encode.chat_chunks import error_event
from gateway_openai.encode.headers import answer_headers, list_value
from gateway_openai.http.choices import Choices, open_choices
from gateway_openai.http.disconnect import unless_disconnected
from gateway_openai.http.endpoints import Encoding
from gateway_openai.http.held_answer import HeldAnswer, HeldResponse, in_pieces
from gateway_openai.wire.json_text import dump

log = logging.getLogger("gateway.openai")

CLIENT_CLOSED_REQUEST = 499
"""What nginx logs for it. Nobody gets to see it but middleware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A decoded call on its way through the gateway; a context for each choice."""

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
        answers = [HeldAnswer() for _ in self.contexts]
        async with self.open() as choices:
            model = await choices.start()
            async for index, event in choices:
                for piece in in_pieces(event):
                    answers[index].add(piece)
                    if piece is not event:  # a long one, and others want their turn
                        await anyio.lowlevel.checkpoint()
        completion = self.encoding.whole([answer.build() for answer in answers])
        body = await off_loop(sum(answer.unpacked for answer in answers), dump, completion)
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
        try:
            async with self._exchange.open() as choices:
                model = await unless_disconnected(receive, choices.start)
                response = EventStreamResponse(
                    self._chunks(choices), self._exchange.headers(model), self._keepalive_seconds
                )
                await response(scope, receive, send)
        except ClientDisconnect:
            await Response(status_code=CLIENT_CLOSED_REQUEST)(scope, receive, send)

    async def _chunks(self, choices: Choices) -> AsyncGenerator[bytes]:
        encoder = self._exchange.encoding.chunks(self._exchange.call.choices)
        try:
            async for index, event in choices:
                for piece in in_pieces(event):
                    if chunk := encoder.encode(index, piece):
                        yield chunk
            yield encoder.finish()
        except Exception as error:  # noqa: BLE001 - the status is sent, so this is the one way left
            yield error_event(as_server_fault(error))
