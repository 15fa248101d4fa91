"""The frontend for OpenAI's Responses API as a plugin."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from gateway import hookimpl
from gateway.errors import GatewayError
from gateway.frontend import ERROR_SCHEMA, Frontend, dump
from gateway.interface import Gateway
from gateway_openai_responses.config import SECTION, ResponsesConfig
from gateway_openai_responses.http.routes import PATH, add_routes
from gateway_openai_responses.names import error_body
from gateway_openai_responses.store.database import Database
from gateway_openai_responses.store.responses import ResponseStore


class ResponsesPlugin:
    """The responses of one gateway: its routes, and those that are kept."""

    def __init__(self) -> None:
        self._store: ResponseStore | None = None

    @hookimpl
    def gateway_register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        """The section `openai_responses`."""
        register(SECTION, ResponsesConfig)

    @hookimpl
    def gateway_register_routes(self, router: APIRouter, gateway: Gateway) -> None:
        """`/v1/responses`, and the paths below it."""
        add_routes(router, gateway, lambda: self._store)

    @hookimpl
    def gateway_register_frontends(self, register: Callable[[Frontend], None]) -> None:
        """The form of errors on these paths."""
        register(
            Frontend(
                name=SECTION,
                matches=_matches,
                render_error=_render_error,
                error_schema=ERROR_SCHEMA,
            )
        )

    @hookimpl
    def gateway_lifespan(self, gateway: Gateway) -> AbstractAsyncContextManager[None] | None:
        """The database, unless the configuration turns it off."""
        config = gateway.config.section(SECTION, ResponsesConfig)
        path = config.database_path
        return self._keeping(config, path) if path is not None else None

    @hookimpl
    def gateway_caller_left(self, caller: str) -> None:
        """Forget the responses of a caller whose key was revoked."""
        if self._store is not None:
            self._store.forget(caller)

    @asynccontextmanager
    async def _keeping(self, config: ResponsesConfig, path: Path) -> AsyncGenerator[None]:
        self._store = ResponseStore(Database(path, config.keep_days, config.max_bytes))
        try:
            yield
        finally:
            store, self._store = self._store, None
            await to_thread.run_sync(store.close)


def _matches(request: Request) -> bool:
    path = request.url.path
    return path == PATH or path.startswith(f"{PATH}/")


def _render_error(error: GatewayError, _: Request) -> Response:
    return Response(dump(error_body(error)), error.status, media_type="application/json")
