"""The OpenAI frontend as a plugin."""

from collections.abc import Callable

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from gateway import hookimpl
from gateway.errors import GatewayError
from gateway.frontend import ERROR_SCHEMA, Frontend, dump, envelope
from gateway.interface import Gateway
from gateway_openai.config import SECTION, OpenAIConfig
from gateway_openai.http.model_list import MODELS
from gateway_openai.http.routes import add_routes


@hookimpl
def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
    """The section `openai`."""
    register(SECTION, OpenAIConfig)


@hookimpl
def gateway_register_routes(router: APIRouter, gateway: Gateway) -> None:
    """`/v1/chat/completions` and `/v1/completions`."""
    add_routes(router, gateway)


@hookimpl
def gateway_reconfigured() -> tuple[str, ...]:
    """Each request reads the section, so a new one holds at once."""
    return (SECTION,)


@hookimpl(trylast=True)
def gateway_register_frontends(register: Callable[[Frontend], None]) -> None:
    """The form of every request that no other frontend claims."""
    register(
        Frontend(
            name="openai",
            matches=lambda _: True,
            render_error=_render_error,
            error_schema=ERROR_SCHEMA,
            models=MODELS,
        )
    )


def _render_error(error: GatewayError, _: Request) -> Response:
    return Response(dump(envelope(error)), error.status, media_type="application/json")
