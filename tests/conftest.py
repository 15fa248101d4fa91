"""What all tests share."""

import pytest

collect_ignore = ["clients/node"]  # `make test-clients` runs these, with what they need


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio alone: the gateway runs under uvicorn, which knows no other."""
    return "asyncio"
