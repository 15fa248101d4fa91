"""`python -m tests.chaos.several`: calls for more answers than there are processes, from several
callers at once, with plain requests between them. Every answer has to come, and to be right."""

import argparse
import asyncio
import json
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx

from gateway_claude_code.upstream import running_upstream
from tests.chaos.clients import Client, Report, Wrong
from tests.chaos.leftovers import children, when_quiet
from tests.chaos.running import CONFIG, gateway
from tests.chaos.upstream import said, script

PROCESSES: Final = 6
MOST: Final = 3 * PROCESSES
CALLERS: Final = 2
SECONDS: Final = 120
LIMITS: Final = {"idle_seconds": 60, "request_seconds": SECONDS}
"""Not what is tried here: six processes that start together are slow on a busy machine."""


async def ask_several(http: httpx.AsyncClient, url: str, report: Report, answers: int) -> None:
    """One call for so many answers, whole or streamed; each of them is held against what is right."""
    secret = secrets.token_hex(4)
    message = {"role": "user", "content": f"secret-{secret} wish-none"}
    body = {"model": "claude-sonnet-4", "messages": [message], "n": answers}
    ask = random.choice([_whole, _streamed])
    began = time.monotonic()
    report.asked += answers
    try:
        texts = await ask(http, url, body)
        if texts != [said(secret)] * answers:
            raise Wrong(f"{len(texts)} answers to n={answers}: {texts}")
        report.outcomes["answer"] += answers
    except (Wrong, httpx.HTTPError, ValueError, KeyError) as error:
        report.wrong.append(f"{type(error).__name__} {error}: n={answers}")
    finally:
        report.longest = max(report.longest, time.monotonic() - began)


async def _whole(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> list[str]:
    answer = await http.post(url, json=body, timeout=SECONDS)
    if answer.status_code != httpx.codes.OK:
        raise Wrong(answer.text)
    return [choice["message"]["content"] for choice in answer.json()["choices"]]


async def _streamed(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> list[str]:
    texts: Counter[int] = Counter()
    said_so_far = [""] * int(body["n"])
    async with http.stream("POST", url, json={**body, "stream": True}, timeout=SECONDS) as answer:
        if answer.status_code != httpx.codes.OK:
            raise Wrong((await answer.aread()).decode())
        async for line in answer.aiter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line[6:])
            if "error" in chunk:
                raise Wrong(line)
            for choice in chunk["choices"]:
                said_so_far[choice["index"]] += choice["delta"].get("content") or ""
                texts[choice["index"]] += choice["finish_reason"] == "stop"
    if set(texts.values()) != {1}:
        raise Wrong(f"choices that did not end once: {texts}")
    return said_so_far


async def load(url: str, report: Report, calls: int) -> None:
    """Callers with many answers each, and one with plain conversations, until all calls are made."""
    left = iter(range(calls))

    async def caller() -> None:
        async with httpx.AsyncClient() as http:
            for _ in left:
                await ask_several(http, url, report, random.randint(2, MOST))

    async def plain() -> None:
        async with httpx.AsyncClient() as http:
            while not all(each.done() for each in callers):
                await Client(url, report, faults=0, leaves=0).converse(http)

    callers = [asyncio.create_task(caller()) for _ in range(CALLERS)]
    await asyncio.gather(plain(), *callers)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.several", description=__doc__)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    report = Report()
    CONFIG["limits"] = LIMITS
    CONFIG["plugins"]["claude_code"] |= {"max_processes": PROCESSES, "start_seconds": 30}
    with (
        tempfile.TemporaryDirectory(prefix="dragoman-chaos-") as name,
        running_upstream(script, record=False) as upstream,
        gateway(Path(name), upstream.url, 0) as (url, pid),
    ):
        asyncio.run(load(f"{url}/v1/chat/completions", report, arguments.calls))
        held = when_quiet(url, pid, Path(name) / "home", Path(name) / "tmp")
        left = len(children(pid))
    print(f"seed {arguments.seed}: {report.asked} answers asked for, {PROCESSES} processes")
    print(f"{dict(report.outcomes)}, the longest call {report.longest:.1f} s, then {held}")
    problems = [f"wrong: {each}" for each in report.wrong]
    if left > PROCESSES:
        problems.append(f"{left} processes")
    if set(report.outcomes) - {"answer", "call"}:
        problems.append("not all were answered")
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print("1 failed, 0 passed" if problems else "1 passed, 0 failed")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
