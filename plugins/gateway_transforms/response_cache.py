"""Answers an identical request with the answer that it had before.

    response_cache: {ttl_seconds: 3600, max_entries: 1000, max_bytes: 67108864, always: false}

Only for requests with temperature 0; with `always`, all of them. Each client key has
answers of its own. Errors, answers that were cut, and those given offline are never kept.
"""

import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import asdict
from typing import Final

from pydantic import BaseModel, Field

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.streams import EventSource
from gateway.types import ChatRequest, ResponseEnd, StreamEvent
from gateway.yaml_file.trust import vetted
from gateway_transforms.cache_store import AnswerStore, Events, size_of

NAME: Final = "response_cache"
HEADER: Final = "x-dragoman-cache"
WHOLE: Final = frozenset({"end", "stop_sequence", "tool_calls"})
"""The stop reasons of complete answers."""


@vetted
class ResponseCacheConfig(BaseModel):
    """The section `response_cache`. `max_bytes` counts all answers together."""

    ttl_seconds: float = Field(default=3600, gt=0)
    max_entries: int = Field(default=1000, gt=0)
    max_bytes: int = Field(default=64 * 1024 * 1024, gt=0)
    always: bool = False


def key_of(request: ChatRequest, ctx: RequestContext) -> str:
    """The same for the same question of the same client key to the same model."""
    fields = {
        **{name: value for name, value in asdict(request).items() if name != "client"},
        "key": request.client.key,
        "target": asdict(ctx.target) if ctx.target else None,
    }
    text = json.dumps(fields, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else repr(value)


class ResponseCachePlugin:
    """The answers of one gateway. They are in memory only."""

    def __init__(self) -> None:
        self._store: AnswerStore | None = None

    @hookimpl
    def gateway_register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        register(NAME, ResponseCacheConfig)

    @hookimpl(tryfirst=True)
    def gateway_wrap_stream(
        self, stream: EventSource, request: ChatRequest, ctx: RequestContext
    ) -> EventSource | None:
        """Next to the backend, so that other plugins change a kept answer as well."""
        config = ctx.gateway.config
        # a stand-in's answer must not be repeated once the model answers
        if not config.enabled(NAME) or ctx.gateway.offline:
            return None
        section = config.section(NAME, ResponseCacheConfig)
        if not section.always and request.sampling.temperature != 0:
            return None
        store = self._store = self._store or AnswerStore(
            section.max_entries, section.max_bytes, section.ttl_seconds
        )
        key = key_of(request, ctx)
        kept = store.get(key)
        ctx.headers[HEADER] = "miss" if kept is None else "hit"
        if kept is None:
            return _keeping(stream, store, key, ctx)
        ctx.ignore(kept.ignored)
        return _replaying(kept.events)


async def _replaying(events: Events) -> AsyncGenerator[StreamEvent]:
    for event in events:
        yield event


async def _keeping(
    stream: EventSource, store: AnswerStore, key: str, ctx: RequestContext
) -> AsyncGenerator[StreamEvent]:
    events: list[StreamEvent] = []
    size = 0
    async for event in stream:
        size += size_of(event)
        if size <= store.max_bytes:
            events.append(event)
        else:
            events.clear()
        yield event
    match events[-1:]:
        case [ResponseEnd(stop_reason=reason)] if reason in WHOLE and size <= store.max_bytes:
            store.put(key, tuple(events), tuple(ctx.ignored))
