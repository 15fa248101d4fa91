"""What all tests share."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio alone: the gateway runs under uvicorn, which knows no other."""
    return "asyncio"
