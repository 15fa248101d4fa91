"""OpenClaw, which `scripts/test-openclaw` installs, and the `node` that it runs on."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import cli_command, start_gateway, start_upstream

__all__ = ["cli_command", "start_gateway", "start_upstream"]

ROOT = Path(__file__).parents[3]
OPENCLAW = Path(__file__).parent / "node_modules" / ".bin" / "openclaw"


@pytest.fixture(scope="session")
def openclaw_path() -> str:
    """A PATH with `openclaw` and its `node`."""
    found = subprocess.run(
        ["sh", "scripts/find-node"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode != 0 or not OPENCLAW.exists():
        pytest.fail(f"`make test-openclaw` installs OpenClaw. {found.stderr}")
    return f"{found.stdout.strip()}:{OPENCLAW.parent}:/usr/bin:/bin"
