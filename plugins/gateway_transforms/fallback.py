"""Asks another model when the first has no room.

    fallback: {models: {claude-opus-4: [claude-sonnet-4, claude-haiku-4]}}

Only before the first event: an answer that has begun is never put together of two.
"""

import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Final

from pydantic import BaseModel, Field

from gateway import hookimpl
from gateway.config.settings import Config
from gateway.context import RequestContext
from gateway.errors import GatewayError, ModelNotFound, Overloaded, RateLimited
from gateway.models.model_map import ModelMap
from gateway.streams import EventSource, close
from gateway.types import ChatRequest, StreamEvent
from gateway.yaml_file.trust import vetted

log = logging.getLogger("gateway.fallback")

NAME: Final = "fallback"
HEADER: Final = "x-dragoman-fallback"


@vetted
class FallbackConfig(BaseModel):
    """The section `fallback`: for a model, by its name in the map or an alias, the next ones."""

    models: dict[str, tuple[str, ...]] = Field(default_factory=dict)


@hookimpl
def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
    register(NAME, FallbackConfig)


@hookimpl
def gateway_check_models(models: ModelMap, config: Config) -> None:
    """The other models have to exist: a 404 would not be an answer to an overload."""
    if not config.enabled(NAME):
        return
    for name, others in config.section(NAME, FallbackConfig).models.items():
        for other in others:
            try:
                models.resolve(other)
            except ModelNotFound:
                where = ("plugins", NAME, "models", name, other)
                what = f"unknown model {other!r}"
                raise config.error(where, what, other, models.names) from None


@hookimpl(tryfirst=True)
def gateway_wrap_stream(
    stream: EventSource, request: ChatRequest, ctx: RequestContext
) -> EventSource | None:
    """Next to the backend, so that other plugins see the final answer."""
    others = _others(ctx.gateway.config, request, ctx)
    return _with_fallback(stream, request, ctx, others) if others else None


def _others(config: Config, request: ChatRequest, ctx: RequestContext) -> tuple[str, ...]:
    if not config.enabled(NAME) or ctx.target is None:
        return ()
    models = config.section(NAME, FallbackConfig).models
    return models.get(request.model) or models.get(ctx.target.model) or ()


async def _with_fallback(
    stream: EventSource, request: ChatRequest, ctx: RequestContext, others: tuple[str, ...]
) -> AsyncGenerator[StreamEvent]:
    waiting = list(others)
    current = stream
    try:
        while True:
            try:
                first = await anext(current, None)
                break
            except (Overloaded, RateLimited) as error:
                await close(current)
                current = await _next(waiting, request, ctx, error)
        if first is not None:
            yield first
        async for event in current:
            yield event
    finally:
        await close(current)


async def _next(
    waiting: list[str], request: ChatRequest, ctx: RequestContext, error: GatewayError
) -> EventSource:
    """The next model's stream. Raises `error` when there is none left."""
    if not waiting or ctx.reopen is None:
        raise error
    model = waiting.pop(0)
    log.info("%s: %s; asking %s instead", ctx.request_id, error, model)
    stream = await ctx.reopen(replace(request, model=model))
    ctx.headers[HEADER] = f"{request.model}->{model}"
    return stream
