"""The plugins' parts of `GET /health`."""

import logging
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio

from gateway.context import Gateway
from gateway.hooks.registry import PluginRegistry

log = logging.getLogger("gateway.health")

PATIENCE_SECONDS = 5.0
"""How long a plugin's part may take. Monitors give up not much later."""

_details: ContextVar[bool] = ContextVar("health_details", default=False)


def asked_for_details() -> bool:
    """Whether `gateway_health` is called for `GET /health` itself, which people read.

    False for `/healthz`, metrics and others that ask all the time.
    """
    return _details.get()


@contextmanager
def in_detail() -> Iterator[None]:
    """While this is open, plugins may take the time for details; see `asked_for_details`."""
    token = _details.set(True)
    try:
        yield
    finally:
        _details.reset(token)


async def parts_of(plugins: PluginRegistry, gateway: Gateway) -> dict[str, Any]:
    """Each plugin's part, by its name."""
    parts: dict[str, Any] = {}
    for name, part in plugins.hooks.health(gateway):
        parts[name] = await _in_time(name, part)
    return parts


async def _in_time(name: str, part: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            return await part
    except Exception:
        log.exception("the health report of %r failed", name)
        return {"status": "unknown"}


def overall(parts: Mapping[str, Any]) -> str:
    """Their overall state: "ok", "degraded", or "starting" while that of a part is unknown."""
    states = {part.get("status", "ok") for part in parts.values()} - {"ok"}
    return "degraded" if states - {"starting"} else "starting" if states else "ok"
