"""The format of its own: it keeps the rules for frontends, and says what it should."""

import json
from pathlib import Path

import pytest

from gateway.testing import FrontendCase, ScriptedBackend, check_frontend, serving, text_answer

PLUGIN = Path(__file__).parent.parent / "lines_frontend.py"
ASKED = {"model": "test-model", "turns": ["Hi"]}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_frontend_keeps_the_rules() -> None:
    await check_frontend(
        FrontendCase(
            path="/lines",
            body=ASKED,
            stream_body={**ASKED, "stream": True},
            malformed={"model": "test-model", "turns": []},
            is_error=lambda body: set(body) == {"error"},
            is_stream_error=lambda text: "error" in json.loads(text.splitlines()[-1]),
            plugins=(PLUGIN,),
            quick_keepalive={"plugins": {"lines_frontend": {"keepalive_seconds": 0.02}}},
        )
    )


async def test_the_turns_alternate_and_the_answer_comes_in_lines() -> None:
    backend = ScriptedBackend(text_answer("Good", " day"))
    async with serving(PLUGIN, backend=backend) as served:
        body = {**ASKED, "turns": ["a", "b", "c"], "stream": True, "colour": "red"}
        response = await served.http.post("/lines", json=body)
        models = (await served.http.get("/lines/models")).json()
    roles = [message.role for message in backend.requests[0].messages]
    assert roles == ["user", "assistant", "user"]
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["x-dragoman-ignored"] == "colour"
    assert [json.loads(line) for line in response.text.splitlines()] == [
        {"text": "Good"},
        {"text": " day"},
        {"reason": "end", "tokens": 5},
    ]
    assert models == ["test-model"]


async def test_an_error_names_the_place() -> None:
    async with serving(PLUGIN) as served:
        response = await served.http.post("/lines", json={**ASKED, "turns": [1]})
        missing = await served.http.get("/lines/unknown")
    assert response.status_code == 400
    assert response.json()["error"]["place"] == "turns[0]"
    assert set(missing.json()["error"]) == {"message", "place"}
