"""`GET /health`, `/livez` (or `/healthz`) and `/readyz`. A plugin of the core.

`/health` is for people and says everything. The other two are for programs that restart a gateway
or send requests to it: `/livez` answers for as long as the event loop turns, and `/readyz` is 503
while requests should go elsewhere. A full queue is no reason for that: it passes in seconds.
"""

import inspect
import logging
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import anyio
from fastapi import APIRouter, Response

from gateway import __version__
from gateway.markers import hookimpl

if TYPE_CHECKING:
    from gateway.pipeline import Gateway

log = logging.getLogger("gateway.health")

PATIENCE_SECONDS = 5.0
"""How long a plugin's part may take. The monitors that ask give up not much later."""


LIVE_SECONDS: Final = 1.0
"""For the overall state in `/livez`, whose answer must not depend on a plugin's."""

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
        "loop": gateway.loop_watch.report() | gateway.saturation.report(),
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


def is_ready(gateway: "Gateway", parts: dict[str, Any]) -> bool:
    """Whether a new request can be answered. A plugin's part says otherwise by `ready: false`."""
    leaving = gateway.traffic.leaving or gateway.traffic.draining
    refusing = (part for part in parts.values() if isinstance(part, dict))
    return not leaving and all(part.get("ready", True) for part in refusing)


@hookimpl
def gateway_register_routes(router: APIRouter, gateway: "Gateway") -> None:
    """`/readyz` alone answers other than 200; the bodies of the others say the rest."""

    @router.get("/health", operation_id="health", summary="State of each part", tags=["Health"])
    async def health() -> dict[str, Any]:
        token = _details.set(True)
        try:
            return await report(gateway)
        finally:
            _details.reset(token)

    @router.get("/livez", operation_id="livez", summary="Overall state", tags=["Health"])
    @router.get("/healthz", operation_id="healthz", summary="Overall state", tags=["Health"])
    async def livez() -> dict[str, str]:
        status = "unknown"
        with anyio.move_on_after(LIVE_SECONDS):
            status = (await report(gateway))["status"]
        return {"status": status}

    @router.get("/readyz", operation_id="readyz", summary="Readiness", tags=["Health"])
    async def readyz(response: Response) -> dict[str, str]:
        parts = await report(gateway)
        if is_ready(gateway, parts):
            return {"status": "ready"}
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return {"status": "leaving" if gateway.traffic.leaving else "not_ready"}
