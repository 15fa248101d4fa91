"""The routes of the OpenAI API that are served here."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from gateway.context import AnswerGroup, RequestContext
from gateway.errors import UnsupportedParameter
from gateway.http.request_state import MayUseModel, RequestState
from gateway.interface import Gateway
from gateway.load.off_loop import off_loop
from gateway.types import Client
from gateway_openai.config import SECTION, OpenAIConfig
from gateway_openai.decode.call import Call
from gateway_openai.fields.rows import CHAT
from gateway_openai.http.body import json_object, read_body
from gateway_openai.http.endpoints import Encoding, Endpoint, chat_completions, text_completions
from gateway_openai.http.exchange import Exchange, StreamedAnswer, whole_answer
from gateway_openai.http.model_fields import SCHEMA
from gateway_openai.http.model_list import LIST_SCHEMA, describe_model, list_models
from gateway_openai.http.not_served import add_absent
from gateway_openai.http.openapi import (
    GENERATING,
    LISTING,
    ONE_MODEL,
    request_body,
    responses,
    responses_of,
)
from gateway_openai.http.sizes import check_sizes
from gateway_openai.wire.chat import ChatCompletionRequest
from gateway_openai.wire.completions import CompletionRequest

SIGNPOST: Final = """Dragoman is up.

The base URL for clients of the OpenAI API is this address with /v1 at its end.
/v1/models lists what can be asked for, /health says how the gateway is.
"""


def add_routes(router: APIRouter, gateway: Gateway) -> None:
    """Add both kinds of completions, and the model list."""

    async def answer(request: Request, endpoint: Endpoint) -> Response:
        config = gateway.config.section(SECTION, OpenAIConfig)
        limits = gateway.config.values.limits
        body = await read_body(request, limits)

        def decoded() -> tuple[Call, Encoding]:
            value = json_object(body, limits)
            check_sizes(value, limits)
            return endpoint(value, client_of(request), config)

        call, encoding = await off_loop(len(body), decoded)
        _refuse_ignored(call, config)
        _admit(request, call)
        contexts = _contexts(request, call, len(body))
        exchange = Exchange(gateway=gateway, call=call, encoding=encoding, contexts=contexts)
        if call.stream:
            return StreamedAnswer(exchange, config.keepalive_seconds)
        return await whole_answer(exchange, request.receive)

    completion = ("id", "object", "created", "model", "choices", "usage")

    @router.post(
        "/v1/chat/completions",
        operation_id="createChatCompletion",
        summary="Answer a conversation",
        tags=["Chat"],
        response_class=Response,
        responses=responses("ChatCompletion", completion, GENERATING, streamed=True),
        openapi_extra={"requestBody": request_body(ChatCompletionRequest)},
    )
    async def create_chat_completion(request: Request) -> Response:
        """`openai.types.chat.ChatCompletion`, or its chunks with `stream: true`."""
        return await answer(request, chat_completions)

    @router.post(
        "/v1/completions",
        operation_id="createCompletion",
        summary="Go on with a text",
        tags=["Completions"],
        response_class=Response,
        responses=responses("Completion", completion, GENERATING, streamed=True),
        openapi_extra={"requestBody": request_body(CompletionRequest)},
    )
    async def create_completion(request: Request) -> Response:
        """`openai.types.Completion`, whole or in chunks: the older endpoint."""
        return await answer(request, text_completions)

    _add_model_routes(router, gateway)
    _add_signpost(router)
    add_absent(router)


def _add_model_routes(router: APIRouter, gateway: Gateway) -> None:
    @router.head("/v1/models", include_in_schema=False)
    @router.get(
        "/v1/models",
        operation_id="listModels",
        summary="What can be asked for",
        tags=["Models"],
        response_class=Response,
        responses=responses_of(LIST_SCHEMA, LISTING),
    )
    async def list_all_models(request: Request) -> Response:
        """Models and aliases, without patterns; of each what is known of it."""
        return JSONResponse(list_models(gateway, _may_use(request)))

    @router.head("/v1/models/{name:path}", include_in_schema=False)
    @router.get(
        "/v1/models/{name:path}",
        operation_id="retrieveModel",
        summary="One model",
        tags=["Models"],
        response_class=Response,
        responses=responses_of(SCHEMA, ONE_MODEL),
    )
    async def retrieve_model(name: str, request: Request) -> Response:
        """Any name that a request may have, so those that match a pattern, too."""
        return JSONResponse(describe_model(gateway, name, _may_use(request)))


def _add_signpost(router: APIRouter) -> None:
    """For people who look whether the address is right, in a browser."""

    @router.get("/", include_in_schema=False)
    @router.get("/v1", include_in_schema=False)
    async def signpost() -> Response:
        return PlainTextResponse(SIGNPOST)


def _may_use(request: Request) -> MayUseModel | None:
    """What the middleware that checks keys says of models; see `client_of`."""
    return RequestState.of(request).may_use_model


def _refuse_ignored(call: Call, config: OpenAIConfig) -> None:
    refusable = CHAT.refusable(call.ignored)
    if config.unsupported == "reject" and refusable:
        raise UnsupportedParameter(
            f"{refusable[0]!r} has no effect here, and the gateway is set to refuse that.",
            param=refusable[0],
        )


def _admit(request: Request, call: Call) -> None:
    """Have the middleware that checks keys count the answers; it has counted the call as one."""
    if call.choices > 1 and (admit := RequestState.of(request).admit_answers) is not None:
        admit(call.choices)


def client_of(request: Request) -> Client:
    """Who asks. Middleware that checks keys leaves the name of one in the request's state."""
    return Client(
        key=RequestState.of(request).client_key,
        user_agent=request.headers.get("user-agent"),
        address=request.client.host if request.client else None,
    )


def _contexts(request: Request, call: Call, body_bytes: int) -> tuple[RequestContext, ...]:
    """A context for each choice; those after the first have their number after the id."""
    state, group = RequestState.of(request), AnswerGroup()
    contexts = tuple(
        RequestContext(
            request_id=f"{state.request_id}-{index}" if index else state.request_id,
            started=state.started,
            ignored=list(call.ignored),
            group=group,
            body_bytes=body_bytes,
        )
        for index in range(call.choices)
    )
    for context in contexts:
        context.adjust(call.adjusted)
    return contexts
