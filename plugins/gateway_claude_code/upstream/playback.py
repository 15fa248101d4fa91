"""Plays a `Reply` on a connection."""

from collections.abc import Mapping

import anyio

from gateway_claude_code.upstream.connection import Connection
from gateway_claude_code.upstream.events import (
    encode,
    error_event,
    message_events,
    whole_message,
)
from gateway_claude_code.upstream.script import (
    Answer,
    Cut,
    Failure,
    MessagesRequest,
    Reply,
    Silence,
    StreamError,
)

_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}

_SETTLE_SECONDS = 0.05


class Dropped(Exception):
    """The connection is to be closed at once."""


async def play(
    connection: Connection, reply: Reply, request: MessagesRequest, request_id: str
) -> None:
    """Send a reply. Raises `Dropped` if the connection is to be closed after it."""
    identity = {"request-id": request_id}
    match reply:
        case Answer():
            await _send_answer(connection, reply, request, identity)
        case Failure():
            body = {**error_event(reply.error_type, reply.message), "request_id": request_id}
            await connection.send_json(reply.status, body, {**identity, **reply.headers})
        case StreamError():
            await _send_stream_error(connection, reply, request, identity)
        case Cut():
            await _send_beginning(connection, reply, request, identity)
            # CLI 2.1.330 discards unread bytes when the connection is reset.
            await anyio.sleep(_SETTLE_SECONDS)
            raise Dropped
        case Silence():
            await _send_beginning(connection, reply, request, identity)
            await (anyio.sleep_forever() if reply.seconds is None else anyio.sleep(reply.seconds))
            raise Dropped


async def _send_answer(
    connection: Connection, answer: Answer, request: MessagesRequest, identity: Mapping[str, str]
) -> None:
    if not request.streamed:
        for gate in answer.gates.values():
            await gate.pass_through()
        message = whole_message(answer, request.model)
        await connection.send_json(200, message, {**identity, **answer.headers})
        return
    await _send_events(connection, answer, request, identity)
    await connection.send_chunk(b"")


async def _send_beginning(
    connection: Connection,
    reply: Cut | Silence,
    request: MessagesRequest,
    identity: Mapping[str, str],
) -> None:
    if reply.answer is not None and request.streamed:
        await _send_events(connection, reply.answer, request, identity, limit=reply.after)


async def _send_stream_error(
    connection: Connection,
    reply: StreamError,
    request: MessagesRequest,
    identity: Mapping[str, str],
) -> None:
    error = error_event(reply.error_type, reply.message)
    if not request.streamed:
        await connection.send_json(_STATUS_OF.get(reply.error_type, 500), error, identity)
        return
    await _send_events(connection, reply.answer, request, identity, limit=reply.after)
    await connection.send_chunk(encode(error))
    await connection.send_chunk(b"")


async def _send_events(
    connection: Connection,
    answer: Answer,
    request: MessagesRequest,
    identity: Mapping[str, str],
    limit: int | None = None,
) -> None:
    """Send the head and the first `limit` events, all by default, with pauses and gates."""
    await connection.start_stream({**identity, **answer.headers})
    for index, event in enumerate(message_events(answer, request.model)):
        if index == limit:
            return
        if index in answer.gates:
            await answer.gates[index].pass_through()
        if index and answer.delay_seconds:
            await anyio.sleep(answer.delay_seconds)
        await connection.send_chunk(encode(event))
