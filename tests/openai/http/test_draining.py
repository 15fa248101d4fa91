"""While the gateway is being stopped: what runs may finish, what comes is sent away."""

from pathlib import Path

import anyio
import anyio.lowlevel
import httpx

from gateway.http.app import create_app
from gateway.testing import ScriptedBackend, build, text_answer
from tests.openai.openai_support import http_client, request_body


async def test_while_it_drains_what_runs_goes_on_and_what_comes_is_told_to_come_back(
    tmp_path: Path,
) -> None:
    gate = anyio.Event()
    first, *rest = text_answer("Hello")
    gateway = build(tmp_path, ScriptedBackend([first, gate, *rest]))
    answers: list[httpx.Response] = []

    async def ask() -> None:
        answers.append(await client.post("/v1/chat/completions", json=request_body()))

    async with http_client(create_app(gateway)) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        while not gateway.traffic.active:
            await anyio.lowlevel.checkpoint()
        gateway.traffic.draining = True
        refused = await client.post("/v1/chat/completions", json=request_body())
        assert (await client.get("/health")).json()["status"] == "draining"
        assert gateway.traffic.active == 1
        gate.set()
    assert answers[0].status_code == 200
    assert gateway.traffic.active == 0
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["error"]["code"] == "gateway_stopping"
    assert refused.headers["x-request-id"]


async def test_a_request_that_fails_is_no_longer_counted(tmp_path: Path) -> None:
    gateway = build(tmp_path, ScriptedBackend([ValueError("a defect")]))
    async with http_client(create_app(gateway)) as client:
        assert (await client.post("/v1/chat/completions", json=request_body())).status_code == 500
    assert gateway.traffic.active == 0
