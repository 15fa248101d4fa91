"""The core on its own: whatever built-in plugins there are, they take no part."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.pipeline.gateway import CoreGateway
from gateway.testing import build


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [])


@pytest.fixture
def gateway_with(tmp_path: Path) -> Callable[..., CoreGateway]:
    """Build a gateway with these plugins, and `config=` for its YAML."""
    return lambda *plugins, **options: build(tmp_path, *plugins, **options)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file, the configuration unless `name` says otherwise."""

    def to(text: str, name: str = "models.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return to
