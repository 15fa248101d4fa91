"""The request log and the metrics of a gateway with the real CLI."""

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from openai.types.chat import ChatCompletionMessageParam

from gateway_claude_code.upstream import Answer, TextBlock, ToolUseBlock, Usage, in_order
from tests.e2e.bodies import asked_again, chat, function
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e


def number(metrics: str, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", metrics, re.MULTILINE)
    assert found is not None, metrics
    return float(found[1])


def written_metrics(gateway: RunningGateway, rows: int) -> str:
    """The metrics, once so many rows are in the log."""
    end = time.monotonic() + 10
    while httpx.get(f"{gateway.url}/health").json()["request_log"]["database"]["written"] < rows:
        assert time.monotonic() < end, "the rows were not written"
        time.sleep(0.05)
    return httpx.get(f"{gateway.url}/metrics", timeout=30).text


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
    metrics = written_metrics(gateway, 2)
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


PLAIN = Usage(input_tokens=1000, output_tokens=100)


def test_each_answer_has_the_cost_that_the_cli_works_out(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    """The CLI says a sum over all turns of its process, and only after the answer's end.

    A turn with calls ends with the answer to their results: so does its cost.
    """
    database = tmp_path / "r.db"
    plugins = {"request_log": {"database": str(database)}, "metrics": True}
    gateway = start_gateway(config={"plugins": plugins})
    call = Answer(blocks=(ToolUseBlock("mcp__t__look", {}),), usage=PLAIN)
    gateway.upstream.script = in_order(
        *(Answer(blocks=(TextBlock(f"answer {n}"),), usage=PLAIN) for n in (1, 2)),
        call,
        Answer(blocks=(TextBlock("answer 4"),), usage=PLAIN),
    )
    messages: list[dict[str, object]] = []
    for question in ("question 1", "question 2"):
        messages.append({"role": "user", "content": question})
        answer = chat(gateway, messages=messages).choice
        messages.append({"role": "assistant", "content": answer.content})
    tools = [function("look")]
    asked = [{"role": "user", "content": "look"}]
    choice = chat(gateway, messages=asked, tools=tools).choice
    results = {choice.tool_calls[0]["id"]: "seen"}
    chat(gateway, messages=[*asked, *asked_again(choice, results)], tools=tools)
    metrics = written_metrics(gateway, 4)
    with closing(sqlite3.connect(database)) as connection:
        costs = [cost for (cost,) in connection.execute("SELECT cost_usd FROM requests")]
    first, second, calling, final = costs
    assert first > 0
    assert (second, calling, final) == (pytest.approx(first), None, pytest.approx(2 * first))
    total = number(metrics, 'dragoman_cost_usd_total{model="claude-sonnet-4"}')
    assert total == pytest.approx(4 * first)
