"""Calls for more answers than there are processes. Every answer has to come, and to be right."""

import json
import random
from collections import Counter
from typing import Any

import httpx

from tests.chaos.clients.client import MODEL, PATIENCE, new_secret
from tests.chaos.report import Report, Wrong
from tests.chaos.upstream import said


async def ask_several(
    http: httpx.AsyncClient, url: str, report: Report, dice: random.Random, answers: int
) -> None:
    """One call for so many answers, whole or streamed; each of them is held against what is right."""
    secret = new_secret(dice)
    message = {"role": "user", "content": f"secret-{secret} wish-none"}
    body = {"model": MODEL, "messages": [message], "n": answers}
    ask = dice.choice([_whole, _streamed])
    report.asked += answers
    with report.timed():
        try:
            texts = await ask(http, url, body)
            if texts != [said(secret)] * answers:
                raise Wrong(f"{len(texts)} answers to n={answers}: {texts}")
            report.outcomes["answer"] += answers
        except (Wrong, httpx.HTTPError, ValueError, KeyError) as error:
            report.wrong.append(f"{type(error).__name__} {error}: n={answers}")


async def _whole(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> list[str]:
    answer = await http.post(url, json=body, timeout=PATIENCE)
    if answer.status_code != httpx.codes.OK:
        raise Wrong(answer.text)
    return [choice["message"]["content"] for choice in answer.json()["choices"]]


async def _streamed(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> list[str]:
    ends: Counter[int] = Counter()
    said_so_far = [""] * int(body["n"])
    async with http.stream("POST", url, json={**body, "stream": True}, timeout=PATIENCE) as answer:
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
                ends[choice["index"]] += choice["finish_reason"] == "stop"
    if set(ends.values()) != {1}:
        raise Wrong(f"choices that did not end once: {ends}")
    return said_so_far
