"""The routes of the OpenAI API that are served here."""

from functools import partial
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.frontend import answer, request_body
from gateway.interface import Gateway
from gateway_openai.config import SECTION, OpenAIConfig
from gateway_openai.http.endpoints import chat_completions, text_completions
from gateway_openai.http.not_served import add_not_served
from gateway_openai.http.openapi import generating
from gateway_openai.wire.chat import ChatCompletionRequest
from gateway_openai.wire.completions import CompletionRequest
from gateway_openai.wire.messages import OtherMessage, OtherPart

SIGNPOST: Final = """Dragoman is up.

The base URL for clients of the OpenAI API is this address with /v1 at its end.
/v1/models lists the models, /health shows the state of the gateway.
"""

_NOT_TAKEN: Final = (OtherMessage, OtherPart)
"""Models of unsupported values: they are there to name these in an error."""


def add_routes(router: APIRouter, gateway: Gateway) -> None:
    """Add both kinds of completions, and errors with advice for endpoints that are not served."""
    _add_chat_completions(router, gateway)
    _add_completions(router, gateway)
    _add_signpost(router)
    add_not_served(router)


def _add_chat_completions(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/v1/chat/completions",
        operation_id="createChatCompletion",
        summary="Create a chat completion",
        tags=["Chat"],
        response_class=Response,
        responses=generating("ChatCompletion"),
        openapi_extra={"requestBody": request_body(ChatCompletionRequest, _NOT_TAKEN)},
    )
    async def create_chat_completion(request: Request) -> Response:
        """`openai.types.chat.ChatCompletion`, or its chunks with `stream: true`."""
        config = _config(gateway)
        decode = partial(chat_completions, config)
        return await answer(gateway, request, decode, keepalive_seconds=config.keepalive_seconds)


def _add_completions(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/v1/completions",
        operation_id="createCompletion",
        summary="Create a completion",
        tags=["Completions"],
        response_class=Response,
        responses=generating("Completion"),
        openapi_extra={"requestBody": request_body(CompletionRequest, _NOT_TAKEN)},
    )
    async def create_completion(request: Request) -> Response:
        """`openai.types.Completion`, whole or in chunks: the older endpoint."""
        config = _config(gateway)
        decode = partial(text_completions, config)
        return await answer(gateway, request, decode, keepalive_seconds=config.keepalive_seconds)


def _add_signpost(router: APIRouter) -> None:
    """For people who open the address in a browser to see whether it is right."""

    @router.get("/", include_in_schema=False)
    @router.get("/v1", include_in_schema=False)
    async def signpost() -> Response:
        return PlainTextResponse(SIGNPOST)


def _config(gateway: Gateway) -> OpenAIConfig:
    return gateway.config.section(SECTION, OpenAIConfig)
