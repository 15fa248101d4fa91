"""The request log and the metrics of a gateway with the real CLI."""

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.e2e.conftest import StartGateway

pytestmark = pytest.mark.e2e


def number(metrics: str, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", metrics, re.MULTILINE)
    assert found is not None, metrics
    return float(found[1])


def test_a_conversation_that_goes_on(start_gateway: StartGateway, tmp_path: Path) -> None:
    database = tmp_path / "r.db"
    plugins = {"request_log": {"database": str(database)}, "metrics": True}
    gateway = start_gateway(config={"plugins": plugins})
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello!"}]
    tokens = 0
    for _ in range(2):
        answer = gateway.client.chat.completions.create(model="claude-sonnet-4", messages=messages)
        assert answer.usage is not None
        tokens += answer.usage.prompt_tokens
        text = answer.choices[0].message.content or ""
        messages.append({"role": "assistant", "content": text})
        messages.append({"role": "user", "content": "And now?"})
    end = time.monotonic() + 10
    while httpx.get(f"{gateway.url}/health").json()["request_log"]["database"]["written"] < 2:
        assert time.monotonic() < end, "the rows were not written"
        time.sleep(0.05)
    metrics = httpx.get(f"{gateway.url}/metrics", timeout=30).text
    taken = {
        kind: number(
            metrics, f'dragoman_processes_taken_total{{backend="claude_code",kind="{kind}"}}'
        )
        for kind in ("live", "spare", "cold")
    }
    assert (taken["live"], taken["spare"] + taken["cold"]) == (1, 1)
    completed = 'dragoman_answers_total{model="claude-sonnet-4",status="completed"}'
    assert number(metrics, completed) == 2
    assert number(metrics, 'dragoman_processes{backend="claude_code",state="live"}') == 1

    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT queue_ms, asked_ms, first_token_ms, total_ms FROM requests ORDER BY id"
        rows = connection.execute(query).fetchall()
        [logged] = connection.execute("SELECT sum(input_tokens) FROM requests").fetchone()
    assert len(rows) == 2
    for steps in rows:
        assert list(steps) == sorted(steps)
    assert logged == tokens
