"""The routes of the Responses API."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import InvalidRequest, NotFound, UnsupportedParameter
from gateway.frontend import (
    Call,
    Encoding,
    answer_decoded,
    client_of,
    dump,
    read_incoming,
    request_body,
)
from gateway.interface import Gateway
from gateway.load.off_loop import off_loop
from gateway_openai_responses.config import SECTION, ResponsesConfig
from gateway_openai_responses.http.endpoints import NOTHING, find, refers, responses
from gateway_openai_responses.http.kept import page, response_object
from gateway_openai_responses.http.openapi import CREATING, DELETING, LISTING_ITEMS, RETRIEVING
from gateway_openai_responses.store.record import Json, Record
from gateway_openai_responses.store.responses import ResponseStore
from gateway_openai_responses.wire.content import OtherPart
from gateway_openai_responses.wire.items import OtherItem
from gateway_openai_responses.wire.request import ResponseRequest

PATH: Final = "/v1/responses"

GetStore: TypeAlias = Callable[[], ResponseStore | None]

_NOT_TAKEN: Final = (OtherItem, OtherPart)
"""Models of unsupported values: they are there to name these in an error."""


def add_routes(router: APIRouter, gateway: Gateway, store: GetStore) -> None:
    """Add all of them. `store` is None while nothing is kept."""
    _add_create(router, gateway, store)
    _add_retrieve(router, store)
    _add_delete(router, store)
    _add_input_items(router, store)
    _add_not_served(router)


def _add_create(router: APIRouter, gateway: Gateway, get_store: GetStore) -> None:
    @router.post(
        PATH,
        operation_id="createResponse",
        summary="Create a response",
        tags=["Responses"],
        response_class=Response,
        responses=CREATING,
        openapi_extra={"requestBody": request_body(ResponseRequest, _NOT_TAKEN)},
    )
    async def create_response(request: Request) -> Response:
        """`openai.types.responses.Response`, or its events with `stream: true`."""
        config = gateway.config.section(SECTION, ResponsesConfig)
        incoming, store = await read_incoming(gateway, request), get_store()
        found = NOTHING
        if refers(incoming.body):
            found = await to_thread.run_sync(find, store, incoming)

        def decoded() -> tuple[Call, Encoding]:
            return responses(config, store, incoming, found)

        size = incoming.body_bytes + found.size
        call, encoding = await off_loop(size, decoded)
        return await answer_decoded(
            gateway,
            request,
            call,
            encoding,
            body_bytes=size,
            keepalive_seconds=config.keepalive_seconds,
        )


def _add_retrieve(router: APIRouter, get_store: GetStore) -> None:
    @router.get(
        f"{PATH}/{{response_id}}",
        operation_id="getResponse",
        summary="Get a response",
        tags=["Responses"],
        response_class=Response,
        responses=RETRIEVING,
    )
    async def get_response(response_id: str, request: Request) -> Response:
        """`openai.types.responses.Response`, if it is kept."""
        if request.query_params.get("stream", "false") != "false":
            raise UnsupportedParameter("A kept response can't be streamed.", param="stream")
        record = await _kept(get_store(), request, response_id)
        return await _json(partial(response_object, record, _include(request)))


def _add_delete(router: APIRouter, get_store: GetStore) -> None:
    @router.delete(
        f"{PATH}/{{response_id}}",
        operation_id="deleteResponse",
        summary="Delete a response",
        tags=["Responses"],
        response_class=Response,
        responses=DELETING,
    )
    async def delete_response(response_id: str, request: Request) -> Response:
        """Delete a kept response; later responses of its conversation can then not be continued."""
        store, caller = get_store(), client_of(request).caller
        if store is None or not await to_thread.run_sync(store.delete, response_id, caller):
            raise _not_kept(response_id)
        deleted = {"id": response_id, "object": "response", "deleted": True}
        return Response(dump(deleted), media_type="application/json")


def _add_input_items(router: APIRouter, get_store: GetStore) -> None:
    @router.get(
        f"{PATH}/{{response_id}}/input_items",
        operation_id="listInputItems",
        summary="List the items that a response answers",
        tags=["Responses"],
        response_class=Response,
        responses=LISTING_ITEMS,
    )
    async def list_input_items(response_id: str, request: Request) -> Response:
        """`openai.types.responses.ResponseItemList`: all of the conversation before a response."""
        store = get_store()
        record = await _kept(store, request, response_id)
        earlier = await _earlier(store, record) if store is not None else ()
        items = (*earlier, *record.items)
        return await _json(partial(page, items, request.query_params, _include(request)))


async def _earlier(store: ResponseStore, record: Record) -> tuple[Json, ...]:
    if record.previous is None:
        return ()
    chain = await to_thread.run_sync(store.chain, record.previous, record.caller)
    return chain.items if chain is not None else ()


async def _kept(store: ResponseStore | None, request: Request, response_id: str) -> Record:
    caller = client_of(request).caller
    record = None
    if store is not None:
        record = await to_thread.run_sync(store.find, response_id, caller)
    if record is None:
        raise _not_kept(response_id)
    return record


def _not_kept(response_id: str) -> NotFound:
    return NotFound(
        f"Response with id {response_id[:100]!r} not found: it was not kept, or has expired.",
        param="response_id",
        code="response_not_found",
    )


def _add_not_served(router: APIRouter) -> None:
    """Errors with advice, for the parts of this API that are not served."""

    async def cancel() -> Response:
        raise InvalidRequest(
            "Background responses are not supported, so no response can be cancelled. Close the "
            "connection to stop an answer."
        )

    async def refuse(advice: str) -> Response:
        raise NotFound(advice)

    router.add_api_route(
        f"{PATH}/{{response_id}}/cancel", cancel, methods=["POST"], include_in_schema=False
    )
    for path, advice in NOT_SERVED.items():
        router.add_api_route(
            path, partial(refuse, advice), methods=["POST"], include_in_schema=False
        )


NOT_SERVED: Final = {
    f"{PATH}/input_tokens": "Dragoman does not count tokens before it asks; the usage of a response "
    "says how many there were.",
    f"{PATH}/compact": "Dragoman does not compact conversations. Have the client do that itself, "
    "with a summary that it asks the model for.",
}
"""The advice, by path."""


def _include(request: Request) -> list[str]:
    """The query's `include`: given several times, or in the form `include[]`, as the SDKs send it."""
    query = request.query_params
    return [*query.getlist("include"), *query.getlist("include[]")]


async def _json(value: Callable[[], object]) -> Response:
    """A value that may be large, made and written in a thread."""
    body = await to_thread.run_sync(lambda: dump(value()))
    return Response(body, media_type="application/json")
