"""gptme, which `scripts/test-gptme` installs."""

from pathlib import Path

import pytest

from tests.e2e.conftest import cli_command, start_gateway, start_upstream

__all__ = ["cli_command", "start_gateway", "start_upstream"]

GPTME = Path(__file__).parents[3] / ".venv-gptme" / "bin" / "gptme"


@pytest.fixture(scope="session")
def gptme() -> Path:
    """The command."""
    if not GPTME.exists():
        pytest.fail("`make test-gptme` installs gptme.")
    return GPTME
