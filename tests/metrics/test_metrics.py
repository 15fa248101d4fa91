"""`GET /metrics`: on request only, readable for Prometheus, and in agreement with the request log."""

import json
import re
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import JSONResponse

from gateway import hookimpl
from gateway.backend_status import BackendStatus
from gateway.context import RequestContext
from gateway.errors import BackendFailed, ConfigurationError, RateLimited
from gateway.http.app import create_app
from gateway.streams import EventSource
from gateway.testing import ScriptedBackend, answer, build, part
from gateway.types import StreamEvent, Text, Usage
from gateway_metrics import registry as registry_module

DASHBOARD = Path(__file__).parent.parent.parent / "docs" / "grafana" / "dragoman.json"
USAGE = Usage(
    input_tokens=5, cache_read_tokens=7, cache_write_tokens=1, output_tokens=3, reasoning_tokens=2
)
GOOD = answer(part(0, Text(text=""), "Hi"), usage=USAGE)


class Reporting:
    """Reports on processes and the quota, as any backend may."""

    @hookimpl
    def gateway_health(self) -> BackendStatus:
        return {
            "processes": {"busy": 2, "live": 1, "spare": 1, "waiting": 3},
            "account": {"state": "plan_used_up", "message": "no"},
            "taken": {"live": 4, "spare": 5, "cold": 6},
            "quota": {
                "status": "allowed",
                "windows": {
                    "five_hour": {"utilization": 0.25, "resets_at": 1_800_000_000},
                    "seven_day": {"utilization": None, "resets_at": None},
                },
            },
        }


class Refusing:
    """Middleware that refuses one path."""

    @hookimpl
    def gateway_asgi_wrapper(self) -> Any:
        def wrap(app: Any) -> Any:
            async def refuse(scope: Any, receive: Any, send: Any) -> None:
                if scope.get("path") == "/refused":
                    await JSONResponse({}, 401)(scope, receive, send)
                else:
                    await app(scope, receive, send)

            return refuse

        return wrap


@asynccontextmanager
async def serving(
    folder: Path, *plugins: object, models: object = None, **sections: object
) -> AsyncGenerator[httpx.AsyncClient]:
    config: dict[str, object] = {"plugins": {"metrics": True, **sections}}
    if models is not None:
        config["models"] = models
    app = create_app(build(folder, *plugins, config=config, disabled=["claude_code"]))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


async def ask(client: httpx.AsyncClient, **fields: Any) -> int:
    body = {"model": "test-model", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return (await client.post("/v1/chat/completions", json=body)).status_code


async def scrape(client: httpx.AsyncClient) -> dict[str, Metric]:
    scraped = await client.get("/metrics")
    assert scraped.headers["content-type"].startswith("text/plain; version=")
    return {family.name: family for family in text_string_to_metric_families(scraped.text)}


def sample(families: dict[str, Metric], name: str, **labels: str) -> float | None:
    found = [
        found.value
        for family in families.values()
        for found in family.samples
        if found.name == name and labels.items() <= found.labels.items()
    ]
    return sum(found) if found else None


async def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    async with serving(tmp_path, metrics=False) as client:
        assert (await client.get("/metrics")).status_code == 404
    with pytest.raises(ConfigurationError, match="unknown key 'port'"):
        build(tmp_path, config={"plugins": {"metrics": {"port": 1}}})


async def test_the_numbers_agree_with_the_request_log(tmp_path: Path) -> None:
    scripts = [GOOD, [BackendFailed("died")], GOOD, [RateLimited("later")], GOOD]
    database = tmp_path / "r.db"
    async with serving(
        tmp_path, ScriptedBackend(*scripts), request_log={"database": str(database)}
    ) as client:
        statuses = [await ask(client, stream=number % 2 == 0) for number in range(8)]
        statuses.append(await ask(client, model="made-up"))
        statuses.append(await ask(client, temperature="hot"))
        families = await scrape(client)
    assert statuses == [200, 502, 200, 429, 200, 200, 200, 200, 404, 400]

    with closing(sqlite3.connect(database)) as rows:

        def one(query: str) -> Any:
            return rows.execute(f"SELECT {query}").fetchone()[0]

        for status in ("completed", "failed"):
            of_status = one(f"count(*) FROM requests WHERE status = '{status}'")
            assert of_status > 0
            assert sample(families, "dragoman_answers_total", status=status) == of_status
        for code, number in rows.execute(
            "SELECT error_code, count(*) FROM requests WHERE error_code NOT NULL GROUP BY 1"
        ):
            assert sample(families, "dragoman_errors_total", code=code) == number
        kinds = {k: sample(families, "dragoman_tokens_total", kind=k) or 0 for k in TOKENS}
        assert kinds["input"] + kinds["cache_read"] + kinds["cache_write"] == one(
            "sum(input_tokens) FROM requests"
        )
        assert kinds["cache_read"] == one("sum(cached_tokens) FROM requests")
        assert kinds["output"] == one("sum(output_tokens) FROM requests")
        assert kinds["reasoning"] == one("sum(reasoning_tokens) FROM requests")
        total = sample(families, "dragoman_answer_seconds_sum", stage="total")
        assert total == pytest.approx(one("sum(total_ms) / 1000 FROM requests"), abs=0.01)
        count = sample(families, "dragoman_answer_seconds_count", stage="first_token")
        assert count == one("count(first_token_ms) FROM requests") == 6


TOKENS = ("input", "cache_read", "cache_write", "output", "reasoning")


async def test_requests_are_counted_by_route_and_names_that_clients_make_up_are_not(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, ScriptedBackend(GOOD), Refusing()) as client:
        await ask(client)
        await ask(client, temperature="hot")
        await ask(client, model="made-up")
        await client.get("/nowhere/1")
        await client.get("/nowhere/2")
        await client.get("/refused")
        await client.get("/v1/models/test-model")
        families = await scrape(client)
    counted = {
        (found.labels["endpoint"], found.labels["status"]): found.value
        for found in families["dragoman_http_requests"].samples
        if found.name.endswith("_total")
    }
    assert counted == {
        ("/v1/chat/completions", "200"): 1,
        ("/v1/chat/completions", "400"): 1,
        ("/v1/chat/completions", "404"): 1,
        ("/v1/models/{name:path}", "200"): 1,
        ("other", "404"): 2,
        ("other", "401"): 1,
    }
    assert sample(families, "dragoman_answers_total", model="other", status="failed") == 1
    assert sample(families, "dragoman_answers_total", model="made-up") is None


async def test_only_so_many_models_have_series_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "MOST_MODELS", 2)
    models = {"x-*": {"backend": "scripted"}}
    async with serving(tmp_path, ScriptedBackend(GOOD), models=models) as client:
        for number in (1, 2, 3, 4, 1):
            await ask(client, model=f"x-{number}")
        families = await scrape(client)
    counted = {
        m: sample(families, "dragoman_answers_total", model=m) for m in ("x-1", "x-2", "x-3")
    }
    assert counted == {"x-1": 2, "x-2": 1, "x-3": None}
    assert sample(families, "dragoman_answers_total", model="other") == 2


async def test_what_backends_report(tmp_path: Path) -> None:
    async with serving(tmp_path, Reporting()) as client:
        families = await scrape(client)
    for state, number in (("busy", 2), ("live", 1), ("spare", 1)):
        assert sample(families, "dragoman_processes", state=state) == number
    assert sample(families, "dragoman_processes", state="waiting") is None
    assert sample(families, "dragoman_queue_length") == 3
    for kind, number in (("live", 4), ("spare", 5), ("cold", 6)):
        assert sample(families, "dragoman_processes_taken_total", kind=kind) == number
    assert sample(families, "dragoman_quota_utilization") == 0.25
    assert sample(families, "dragoman_quota_reset_timestamp_seconds") == 1_800_000_000
    assert sample(families, "dragoman_account_refused", state="plan_used_up") == 1


async def test_each_backend_has_series_of_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path, Reporting(), Reporting()) as client:
        families = await scrape(client)
    for backend in ("test_plugin_0", "test_plugin_1"):
        assert sample(families, "dragoman_queue_length", backend=backend) == 3


def test_of_the_event_loop_only_stalls_are_seconds() -> None:
    collector = registry_module.HealthCollector()
    collector.report = {"loop": {"longest_stall_ms": 250, "recent_stall_ms": 0, "refused": 7}}
    [*_, stalls] = collector.collect()
    samples = [(each.labels["since"], each.value) for each in stalls.samples]
    assert samples == [("longest", 0.25), ("recent", 0)]


class Costly:
    """Says of each answer that it cost a quarter of a dollar."""

    @hookimpl
    async def gateway_wrap_stream(
        self, stream: EventSource, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        return self._costing(stream, ctx)

    async def _costing(
        self, stream: EventSource, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        ctx.report_cost(0.25)
        async for event in stream:
            yield event


async def test_costs_are_added_up_by_model(tmp_path: Path) -> None:
    async with serving(tmp_path, ScriptedBackend(GOOD), Costly()) as client:
        for _ in range(2):
            await ask(client)
        families = await scrape(client)
    assert sample(families, "dragoman_cost_usd_total", model="test-model") == 0.5


async def test_two_gateways_have_numbers_of_their_own(tmp_path: Path) -> None:
    async with serving(tmp_path, ScriptedBackend(GOOD)) as one:
        await ask(one)
        async with serving(tmp_path, ScriptedBackend(GOOD)) as other:
            assert sample(await scrape(other), "dragoman_answers_total") is None


async def test_the_dashboard_asks_for_what_there_is(tmp_path: Path) -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    scripts = [GOOD, [BackendFailed("died")]]
    async with serving(tmp_path, ScriptedBackend(*scripts), Reporting()) as client:
        for _ in scripts:
            await ask(client)
        families = await scrape(client)
    there = {found.name for family in families.values() for found in family.samples}
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    asked = {name for query in queries for name in re.findall(r"dragoman_\w+", query)}
    assert len(queries) >= len(panels) > 0
    assert asked <= there
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert "datasource" in [variable["name"] for variable in dashboard["templating"]["list"]]
    assert len({panel["id"] for panel in panels}) == len(panels)
