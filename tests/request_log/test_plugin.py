"""The request log in a gateway: on request only, a row for each answer, and never in the way."""

import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import BackendFailed, ConfigurationError, RateLimited
from gateway.testing import ScriptedBackend, answer, build, part
from gateway.types import Text, ToolCall, Usage
from gateway_request_log import database as database_module
from gateway_request_log.config import RequestLogConfig, default_path
from tests.request_log.request_log_support import ECHO, ask, read, serving

WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = answer(
    part(0, Text(text=""), "Let me see"),
    part(1, ToolCall(id="c1", name="weather"), "{}"),
    stop_reason="tool_calls",
    usage=Usage(input_tokens=5, cache_read_tokens=7, output_tokens=3, reasoning_tokens=1),
    model="answered-1",
)
SCRIPTED = {"m": {"backend": "scripted", "target": "s1"}}


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


async def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    async with serving(tmp_path, section=False, models=ECHO) as client:
        assert (await ask(client)).status_code == 200
    gateway = build(tmp_path, config={"models": ECHO})
    assert "request_log" in gateway.plugins.names
    assert not default_path().exists()


async def test_a_row_for_each_answer(tmp_path: Path) -> None:
    backend = ScriptedBackend(CALL, [BackendFailed("it died")], [RateLimited("not now")])
    async with serving(tmp_path, backend, models=SCRIPTED) as client:
        await ask(client, tools=[WEATHER])
        assert (await ask(client)).status_code == 502
        assert (await ask(client)).status_code == 429
        assert (await ask(client, model="unknown")).status_code == 404
    called, died, limited, unknown = read(default_path())
    assert called["finish_reason"] == "tool_calls"
    assert (called["model"], called["backend"], called["backend_model"]) == (
        "m",
        "scripted",
        "answered-1",
    )
    assert (called["tools_offered"], called["tool_calls"]) == (1, 1)
    assert (called["input_tokens"], called["output_tokens"]) == (12, 3)
    assert (called["cached_tokens"], called["reasoning_tokens"]) == (7, 1)
    assert 0 < called["first_token_ms"] <= called["total_ms"]
    assert called["client"].startswith("python-httpx/")
    assert (called["request"], called["answer"]) == (None, None)
    assert (died["status"], died["error_code"]) == ("failed", "backend_error")
    assert died["error_message"] == "it died"
    assert limited["error_code"] == "rate_limit_exceeded"
    assert (unknown["error_code"], unknown["backend"]) == ("model_not_found", None)


async def test_a_row_has_the_request_s_id(tmp_path: Path) -> None:
    async with serving(tmp_path, models=ECHO) as client:
        answered = await ask(client, n=2)
    ids = [found["request_id"] for found in read(default_path())]
    request_id = answered.headers["x-request-id"]
    assert sorted(ids) == [request_id, f"{request_id}-1"]


async def test_bodies_on_request_without_secrets(tmp_path: Path) -> None:
    section = {"bodies": True, "database": str(tmp_path / "r.db"), "jsonl": str(tmp_path / "r.jl")}
    async with serving(tmp_path, section=section, models=ECHO) as client:
        await ask(client, "my key is sk-abcdefgh12")
    [found] = read(tmp_path / "r.db")
    assert json.loads(found["answer"]) == [{"type": "text", "text": "my key is [redacted]"}]
    [line] = map(json.loads, (tmp_path / "r.jl").read_text().splitlines())
    assert line["request"] == json.loads(found["request"])
    assert b"sk-abcdefgh12" not in (tmp_path / "r.db").read_bytes()
    assert not default_path().exists()


async def test_without_a_database(tmp_path: Path) -> None:
    section = {"database": False, "jsonl": str(tmp_path / "r.jsonl")}
    async with serving(tmp_path, section=section, models=ECHO) as client:
        await ask(client)
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 1
    assert not default_path().exists()


async def test_a_locked_database_delays_no_answer_and_loses_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LOCK_SECONDS", 0.1)
    async with serving(tmp_path, models=ECHO) as client:
        default_path().parent.mkdir(parents=True)
        with closing(sqlite3.connect(default_path(), isolation_level=None)) as other:
            other.execute("PRAGMA journal_mode=WAL")
            other.execute("BEGIN EXCLUSIVE")
            started = time.monotonic()
            for _ in range(20):
                assert (await ask(client)).status_code == 200
            assert time.monotonic() - started < 10
            other.execute("ROLLBACK")
    assert len(read(default_path())) == 20


async def test_a_database_that_can_t_be_opened_fails_no_request(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    section = {"database": str(in_the_way / "r.db")}
    async with serving(tmp_path, section=section, models=ECHO) as client:
        assert (await ask(client)).status_code == 200
        health = (await client.get("/health")).json()
    assert health["request_log"]["database"]["written"] == 0
    assert health["status"] == "ok"


async def test_health_counts_rows(tmp_path: Path) -> None:
    async with serving(tmp_path, models=ECHO) as client:
        await ask(client)
        counts = (await client.get("/health")).json()["request_log"]["database"]
    assert counts["written"] + counts["waiting"] == 1
    assert counts["lost"] == 0


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"bodys": True}, "unknown key 'bodys'.*did you mean 'bodies'"),
        ({"database": True}, "must be a path or false"),
        ({"keep_days": 0}, "greater than 0"),
        ({"otel": "localhost:4318"}, "must be the URL of an OTLP collector"),
    ],
)
def test_a_wrong_section_stops_the_start(
    tmp_path: Path, section: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        build(tmp_path, config={"plugins": {"request_log": section}})


async def test_a_missing_extra_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "gateway_request_log.otel", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigurationError, match=r"requires more packages .*; add them with: `.*`"):
        async with serving(tmp_path, section={"otel": "http://127.0.0.1:1"}, models=ECHO):
            pass


def test_the_usual_place_is_below_home_without_a_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path() == tmp_path / ".local/state/dragoman/requests.db"
    assert RequestLogConfig(database=Path("~/r.db")).database_path == tmp_path / "r.db"
