"""`GET /health` and `/healthz`: is the gateway up, and do its parts answer? A plugin of the core."""

import inspect
import logging
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from gateway import __version__
from gateway.markers import hookimpl

if TYPE_CHECKING:
    from gateway.pipeline import Gateway

log = logging.getLogger("gateway.health")


async def report(gateway: "Gateway") -> dict[str, Any]:
    """The whole report: `status` ("ok" or "degraded"), `version`, and each plugin's own part."""
    parts: dict[str, Any] = {}
    for name, result in gateway.plugins.collect("gateway_health", gateway=gateway):
        try:
            parts[name] = await result if inspect.isawaitable(result) else result
        except Exception:
            log.exception("the health report of %r failed", name)
            parts[name] = {"status": "unknown"}
    healthy = all(part.get("status", "ok") == "ok" for part in parts.values())
    return {
        "status": "ok" if healthy else "degraded",
        "version": __version__,
        "offline": gateway.offline,
        **parts,
    }


@hookimpl
def gateway_register_routes(router: APIRouter, gateway: "Gateway") -> None:
    """Both answer 200 as long as the gateway itself does; the body says the rest."""

    @router.get("/health")
    async def health() -> dict[str, Any]:
        return await report(gateway)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": (await report(gateway))["status"]}
