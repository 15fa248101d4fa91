"""Codex, which `scripts/test-codex` installs, and the `node` that it runs on."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import cli_command, start_gateway, start_upstream

__all__ = ["cli_command", "start_gateway", "start_upstream"]

ROOT = Path(__file__).parents[3]
CODEX = Path(__file__).parent / "node_modules" / ".bin" / "codex"


@pytest.fixture(scope="session")
def codex_path() -> str:
    """A PATH with `codex` and a `node`: any will do, as Codex itself is not of JavaScript."""
    node = shutil.which("node") or shutil.which("node", path=ROOT / ".venv-clients" / "bin")
    if node is None or not CODEX.exists():
        pytest.fail("`make test-codex` installs Codex; it needs a `node` on PATH")
    return f"{Path(node).parent}:{CODEX.parent}:/usr/bin:/bin"
