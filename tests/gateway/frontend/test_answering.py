"""Reading a body for routes of any kind."""

from collections.abc import Callable

import pytest
from fastapi import APIRouter
from starlette.requests import Request

from gateway.context import Gateway
from gateway.frontend import read_incoming
from gateway.pipeline.gateway import CoreGateway
from tests.gateway.core_support import http, plugin

GatewayWith = Callable[..., CoreGateway]


def counting() -> object:
    """A route that counts, and asks no model."""

    def gateway_register_routes(router: APIRouter, gateway: Gateway) -> None:
        @router.post("/count")
        async def count(request: Request) -> dict[str, object]:
            incoming = await read_incoming(gateway, request)
            return {"fields": len(incoming.body), "client": incoming.client.user_agent}

        count.__annotations__["request"] = Request

    return plugin(gateway_register_routes)


@pytest.mark.parametrize("size", [1, 100_000], ids=["small", "large"])
async def test_a_route_that_asks_no_model_reads_its_body(
    gateway_with: GatewayWith, size: int
) -> None:
    headers = {"user-agent": "counter"}
    async with http(gateway_with(counting())) as client:
        answer = await client.post("/count", json={"a": "x" * size, "b": 1}, headers=headers)
    assert answer.json() == {"fields": 2, "client": "counter"}


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b" " * 1001, "application/json", 413),
        (b"[]", "application/json", 400),
        (b'{"a": [[[]]]}', "application/json", 400),
    ],
)
async def test_within_the_limits(
    gateway_with: GatewayWith, content: bytes, media_type: str, status: int
) -> None:
    limits = {"body_bytes": 1000, "json_depth": 3}
    async with http(gateway_with(counting(), config={"limits": limits})) as client:
        answer = await client.post("/count", content=content, headers={"content-type": media_type})
    assert answer.status_code == status
