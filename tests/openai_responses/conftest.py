"""A gateway with the Responses frontend and a scripted backend, and clients that talk to it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import openai
import pytest

from gateway.testing import ScriptedBackend, Served, serving

Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the gateway keeps its responses."""
    return tmp_path / "state" / "responses.db"


@pytest.fixture
def serve(database: Path) -> Serve:
    """Runs a gateway with a scripted backend; keywords are the section of the frontend."""

    def run(
        backend: ScriptedBackend | None = None, **section: Any
    ) -> AbstractAsyncContextManager[Served]:
        plugins = {"openai_responses": {"database": str(database), **section}}
        installed = ("openai", "openai_responses")
        return serving(backend=backend, installed=installed, config={"plugins": plugins})

    return run


@asynccontextmanager
async def sdk(served: Served) -> AsyncGenerator[openai.AsyncOpenAI]:
    """The installed SDK, as a client of the application itself."""
    transport = httpx2.ASGITransport(served.app, raise_app_exceptions=False)
    async with openai.AsyncOpenAI(
        api_key="unused",
        base_url="http://localhost/v1",
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=transport),
    ) as client:
        yield client
