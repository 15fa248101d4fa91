"""Clients that read a long answer slowly. It has to be whole, and must not wait in memory."""

import asyncio
import json
import random
from typing import Final

import httpx

from tests.chaos.clients.client import MODEL, PATIENCE, new_secret
from tests.chaos.report import Report, Wrong
from tests.chaos.upstream import said_at_length

CHARACTERS: Final = 3_000_000
PAUSE: Final = 0.3
"""Seconds, between two pieces at the beginning: the answer is long since there by then."""
SLOW_PIECES: Final = 20


async def read_slowly(
    http: httpx.AsyncClient, url: str, report: Report, dice: random.Random
) -> None:
    """One streamed answer, of which the first pieces are read with a pause after each."""
    secret = new_secret(dice)
    message = {"role": "user", "content": f"secret-{secret} wish-long{CHARACTERS}"}
    body = {"model": MODEL, "messages": [message], "stream": True}
    report.asked += 1
    with report.timed():
        try:
            text = await _read(http, url, body)
            if text != said_at_length(secret, CHARACTERS):
                raise Wrong(f"{len(text)} characters of {CHARACTERS}, or others")
            report.outcomes["answer"] += 1
        except (Wrong, httpx.HTTPError, ValueError, KeyError) as error:
            report.wrong.append(f"{type(error).__name__} {error}: a slow reader")


async def _read(http: httpx.AsyncClient, url: str, body: dict[str, object]) -> str:
    pieces: list[str] = []
    async with http.stream("POST", url, json=body, timeout=PATIENCE) as answer:
        if answer.status_code != httpx.codes.OK:
            raise Wrong((await answer.aread()).decode())
        async for line in answer.aiter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line[6:])
            if "error" in chunk:
                raise Wrong(line)
            pieces += [choice["delta"].get("content") or "" for choice in chunk["choices"]]
            if len(pieces) < SLOW_PIECES:
                await asyncio.sleep(PAUSE)
    return "".join(pieces)
