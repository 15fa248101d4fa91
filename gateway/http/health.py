"""`GET /health`, `/livez` (or `/healthz`) and `/readyz`. A plugin of the core.

`/health` is for people and says everything. The other two are for programs that restart a gateway
or send requests to it: `/livez` answers for as long as the event loop turns, and `/readyz` is 503
while requests should go elsewhere. A full queue is no reason for that: it passes in seconds.
"""

from http import HTTPStatus
from typing import Any, Final

import anyio
from fastapi import APIRouter, Response

from gateway.markers import hookimpl
from gateway.pipeline.gateway import CoreGateway
from gateway.pipeline.health_parts import in_detail

LIVE_SECONDS: Final = 1.0
"""For the overall state in `/livez`, whose answer must not depend on a plugin's."""


def is_ready(gateway: CoreGateway, parts: dict[str, Any]) -> bool:
    """Whether a new request can be answered. A plugin's part says otherwise by `ready: false`."""
    leaving = gateway.traffic.leaving or gateway.traffic.draining
    refusing = (part for part in parts.values() if isinstance(part, dict))
    return not leaving and all(part.get("ready", True) for part in refusing)


@hookimpl
def gateway_register_routes(router: APIRouter, gateway: CoreGateway) -> None:
    """`/readyz` alone answers other than 200; the bodies of the others say the rest."""

    @router.get("/health", operation_id="health", summary="State of each part", tags=["Health"])
    async def health() -> dict[str, Any]:
        with in_detail():
            return await gateway.health()

    @router.get("/livez", operation_id="livez", summary="Overall state", tags=["Health"])
    @router.get("/healthz", operation_id="healthz", summary="Overall state", tags=["Health"])
    async def livez() -> dict[str, str]:
        status = "unknown"
        with anyio.move_on_after(LIVE_SECONDS):
            status = (await gateway.health())["status"]
        return {"status": status}

    @router.get("/readyz", operation_id="readyz", summary="Readiness", tags=["Health"])
    async def readyz(response: Response) -> dict[str, str]:
        parts = await gateway.health()
        if is_ready(gateway, parts):
            return {"status": "ready"}
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return {"status": "leaving" if gateway.traffic.leaving else "not_ready"}
