"""A gateway with the OpenAI frontend and a scripted backend, and clients that talk to it."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from gateway.http.app import create_app
from gateway.testing import build
from tests.openai.http.malformed.malformed_support import BACKEND
from tests.openai.openai_support import Ask, BuildApp, http_client, request_body


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def build_app(tmp_path: Path) -> BuildApp:
    """An application with these plugins; keywords are keys of the configuration."""

    def build_it(*plugins: object, **config: object) -> FastAPI:
        return create_app(build(tmp_path, *plugins, config=config, disabled=("claude_code",)))

    return build_it


@pytest.fixture
def ask(build_app: BuildApp) -> Ask:
    """Post one chat completion to a new gateway; `section` is the frontend's configuration."""

    async def post(
        *plugins: object, section: dict[str, object] | None = None, **fields: object
    ) -> httpx.Response:
        app = build_app(*plugins, plugins={"openai": section or {}})
        async with http_client(app) as client:
            return await client.post("/v1/chat/completions", json=request_body(**fields))

    return post


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """A gateway for requests that are malformed."""
    folder = tmp_path_factory.mktemp("gateway")
    limits = {"body_bytes": 1_000_000}
    gateway = build(folder, BACKEND, config={"limits": limits}, disabled=("claude_code",))
    return create_app(gateway)
