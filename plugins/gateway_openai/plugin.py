"""The OpenAI frontend as a plugin."""

from collections.abc import Callable

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from gateway import hookimpl
from gateway.errors import GatewayError
from gateway.interface import Gateway
from gateway_openai.config import SECTION, OpenAIConfig
from gateway_openai.http.routes import add_routes
from gateway_openai.wire.errors import envelope
from gateway_openai.wire.json_text import dump


@hookimpl
def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
    """The section `openai`."""
    register(SECTION, OpenAIConfig)


@hookimpl
def gateway_register_routes(router: APIRouter, gateway: Gateway) -> None:
    """`/v1/chat/completions`, `/v1/completions` and `/v1/models`."""
    add_routes(router, gateway)


@hookimpl
def gateway_reconfigured() -> tuple[str, ...]:
    """The section is looked up at each request, so a new one holds at once."""
    return (SECTION,)


@hookimpl(trylast=True)
def gateway_render_error(error: GatewayError) -> Response:
    """OpenAI's envelope for every path that no other frontend claims."""
    return Response(dump(envelope(error)), error.status, media_type="application/json")
