"""What the tests of malformed requests share: a gateway that must not be reached."""

import json

import httpx
from fastapi import FastAPI

from gateway.testing import ScriptedBackend
from tests.openai.openai_support import http_client

CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
BACKEND = ScriptedBackend()
"""Keeps the requests that reach it: there must be none."""

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


async def refused(app: FastAPI, path: str, content: bytes, **headers: str) -> httpx.Response:
    """The answer to a request that must not get anywhere."""
    BACKEND.requests.clear()
    sent = {"content-type": "application/json", **headers}
    async with http_client(app) as client:
        response = await client.post(path, content=content, headers=sent)
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert BACKEND.requests == []
    return response


def encoded(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def tool(name: object = "f", **fields: object) -> dict[str, object]:
    return {"type": "function", "function": {"name": name, **fields}}
