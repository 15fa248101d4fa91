"""The health report."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from gateway import __version__
from gateway.http import health
from gateway.pipeline import health_parts
from gateway.pipeline.gateway import CoreGateway
from tests.gateway.core_support import http, plugin

GatewayWith = Callable[..., CoreGateway]


def reporting(result: Any) -> object:
    def gateway_health() -> Any:
        if isinstance(result, Exception):
            raise result
        return result() if callable(result) else result

    return plugin(gateway_health)


async def later() -> dict[str, Any]:
    return {"status": "ok", "n": 1}


async def broken() -> None:
    raise KeyError("x")


async def test_a_gateway_alone_is_ok(gateway_with: GatewayWith) -> None:
    async with http(gateway_with()) as client:
        answer = await client.get("/health")
    report = answer.json()
    config = report.pop("config")
    assert report.pop("loop") == {"longest_stall_ms": 0, "recent_stall_ms": 0}
    assert report == {"status": "ok", "version": __version__, "offline": False}
    assert (config["last_error"], config["needs_restart"]) == (None, [])
    assert datetime.fromisoformat(config["loaded_at"]) <= datetime.now(UTC)


async def test_only_the_report_itself_is_read_in_detail(gateway_with: GatewayWith) -> None:
    seen: list[bool] = []

    def gateway_health() -> dict[str, Any]:
        seen.append(health_parts.asked_for_details())
        return {}

    gateway = gateway_with(plugin(gateway_health))
    async with http(gateway) as client:
        await client.get("/health")
        await client.get("/healthz")
        await gateway.health()
    assert seen == [True, False, False]


@pytest.mark.parametrize(
    ("result", "status", "part"),
    [
        pytest.param({"n": 1}, "ok", {"n": 1}, id="no status is ok"),
        pytest.param({"status": "ok"}, "ok", {"status": "ok"}, id="ok"),
        pytest.param(later, "ok", {"status": "ok", "n": 1}, id="awaited"),
        pytest.param({"status": "full"}, "degraded", {"status": "full"}, id="not ok"),
        pytest.param(broken, "degraded", {"status": "unknown"}, id="failing later"),
        pytest.param(3, "degraded", {"status": "unknown"}, id="no mapping"),
        pytest.param(anyio.sleep_forever, "degraded", {"status": "unknown"}, id="too slow"),
        pytest.param(KeyError("x"), "ok", None, id="failing at once is left out"),
        pytest.param(None, "ok", None, id="nothing to say"),
    ],
)
async def test_parts(
    result: Any,
    status: str,
    part: dict[str, Any] | None,
    gateway_with: GatewayWith,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health_parts, "PATIENCE_SECONDS", 0.01)
    report = await gateway_with(reporting(result)).health()
    assert report["status"] == status
    assert report.get("test_plugin_0") == part


@pytest.mark.parametrize("path", ["/livez", "/healthz"])
async def test_the_short_form(path: str, gateway_with: GatewayWith) -> None:
    async with http(gateway_with(reporting({"status": "full"}))) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})


async def test_a_gateway_is_alive_whatever_a_plugin_does(
    gateway_with: GatewayWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LIVE_SECONDS", 0.01)
    async with http(gateway_with(reporting(anyio.sleep_forever))) as client:
        answer = await client.get("/livez")
        assert (answer.status_code, answer.json()) == (200, {"status": "unknown"})


@pytest.mark.parametrize(
    ("part", "state", "expected"),
    [
        ({}, None, (200, "ready")),
        ({"status": "plan_used_up", "ready": True}, None, (200, "ready")),
        ({"status": "unavailable", "ready": False}, None, (503, "not_ready")),
        ({}, "leaving", (503, "leaving")),
        ({"ready": False}, "leaving", (503, "leaving")),
    ],
)
async def test_readiness(
    part: dict[str, Any], state: str | None, expected: tuple[int, str], gateway_with: GatewayWith
) -> None:
    gateway = gateway_with(reporting(part))
    gateway.traffic.leaving = state == "leaving"
    async with http(gateway) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == expected


async def test_no_plugin_speaks_for_the_gateway(tmp_path: Any) -> None:
    from gateway.startup.build import build_gateway  # noqa: PLC0415

    path = tmp_path / "models.yaml"
    path.write_text("")
    gateway = build_gateway(path, plugins=[("version", reporting({"status": "ok"}))])
    assert (await gateway.health())["version"] == __version__
