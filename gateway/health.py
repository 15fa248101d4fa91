"""`GET /health` and `/healthz`: is the gateway up, and do its parts answer? A plugin of the core."""

import inspect
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
from fastapi import APIRouter

from gateway import __version__
from gateway.markers import hookimpl

if TYPE_CHECKING:
    from gateway.pipeline import Gateway

log = logging.getLogger("gateway.health")

PATIENCE_SECONDS = 5.0
"""How long a plugin's part may take. The monitors that ask give up not much later."""


_details: ContextVar[bool] = ContextVar("health_details", default=False)


def asked_for_details() -> bool:
    """Whether `gateway_health` is called for `GET /health` itself, whose answer somebody reads.

    It is not for `/healthz` and for what else is asked time and again, such as metrics.
    """
    return _details.get()


async def report(gateway: "Gateway") -> dict[str, Any]:
    """The whole report: `status`, `version`, and each plugin's own part.

    The status is "ok", "degraded", "draining", or "starting" while a part has not found out yet.
    """
    parts: dict[str, Any] = {}
    for name, result in gateway.plugins.collect("gateway_health", gateway=gateway):
        parts[name] = await _part(name, result)
    states = {part.get("status", "ok") for part in parts.values()} - {"ok"}
    status = "degraded" if states - {"starting"} else "starting" if states else "ok"
    return parts | {
        "status": "draining" if gateway.traffic.draining else status,
        "version": __version__,
        "offline": gateway.offline,
        "loop": gateway.loop_watch.report(),
        "config": {
            "loaded_at": gateway.loaded_at.isoformat(timespec="seconds"),
            "last_error": gateway.last_error,
            "needs_restart": list(gateway.needs_restart),
        },
    }


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


@hookimpl
def gateway_register_routes(router: APIRouter, gateway: "Gateway") -> None:
    """Both answer 200 as long as the gateway itself does; the body says the rest."""

    @router.get("/health", operation_id="health", summary="How each part is", tags=["Health"])
    async def health() -> dict[str, Any]:
        token = _details.set(True)
        try:
            return await report(gateway)
        finally:
            _details.reset(token)

    @router.get("/healthz", operation_id="healthz", summary="How the whole is", tags=["Health"])
    async def healthz() -> dict[str, str]:
        return {"status": (await report(gateway))["status"]}
