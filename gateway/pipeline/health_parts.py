"""What plugins say of their parts of the gateway, for `GET /health`."""

import inspect
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio

from gateway.context import Gateway
from gateway.hooks.registry import PluginRegistry

log = logging.getLogger("gateway.health")

PATIENCE_SECONDS = 5.0
"""How long a plugin's part may take. The monitors that ask give up not much later."""

_details: ContextVar[bool] = ContextVar("health_details", default=False)


def asked_for_details() -> bool:
    """Whether `gateway_health` is called for `GET /health` itself, whose answer somebody reads.

    It is not for `/healthz` and for what else is asked time and again, such as metrics.
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
    for name, result in plugins.collect("gateway_health", gateway=gateway):
        parts[name] = await _part(name, result)
    return parts


async def _part(name: str, result: object) -> dict[str, Any]:
    try:
        if inspect.isawaitable(result):
            with anyio.fail_after(PATIENCE_SECONDS):
                result = await result
        if not isinstance(result, dict):
            raise TypeError(f"returned {type(result).__name__}, not a dict")
    except Exception:
        log.exception("the health report of %r failed", name)
        return {"status": "unknown"}
    return result


def overall(parts: Mapping[str, Any]) -> str:
    """Their state as one: "ok", "degraded", or "starting" while a part has not found out yet."""
    states = {part.get("status", "ok") for part in parts.values()} - {"ok"}
    return "degraded" if states - {"starting"} else "starting" if states else "ok"
