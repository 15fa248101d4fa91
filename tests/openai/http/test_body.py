"""The body of a request over HTTP: its type and its size."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.testing import ScriptedBackend
from tests.openai.openai_support import BuildApp, http_client, request_body


async def post(build_app: BuildApp, headers: dict[str, str], content: Any = None) -> Any:
    app = build_app(ScriptedBackend(), limits={"body_bytes": 1000})
    async with http_client(app) as client:
        return await client.post(
            "/v1/chat/completions",
            content=json.dumps(request_body()) if content is None else content,
            headers=headers,
        )


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON"],
)
async def test_json_is_taken(build_app: BuildApp, media_type: str) -> None:
    assert (await post(build_app, {"content-type": media_type})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_anything_else_is_415(build_app: BuildApp, headers: dict[str, str]) -> None:
    answer = await post(build_app, headers)
    assert answer.status_code == 415
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_body_that_says_it_is_too_large_is_413(build_app: BuildApp) -> None:
    answer = await post(build_app, {"content-type": "application/json"}, b" " * 1001)
    assert answer.status_code == 413
    assert "limits.body_bytes" in answer.json()["error"]["message"]


async def test_a_body_without_a_length_is_413_when_it_gets_too_large(build_app: BuildApp) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100

    answer = await post(build_app, {"content-type": "application/json"}, pieces())
    assert answer.status_code == 413
