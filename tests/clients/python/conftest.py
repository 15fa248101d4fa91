"""The Python clients, in `.venv-clients`: nothing of the user's environment, and loopback only."""

import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from tests.e2e.conftest import _shared_gateway, gateway

__all__ = ["_shared_gateway", "gateway"]

ROOT = Path(__file__).parents[3]
KEPT = ("PATH", "TMPDIR", "LANG", "DRAGOMAN_CLAUDE_COMMAND")
LOOPBACK = ("127.0.0.1", b"127.0.0.1", "::1", "localhost", b"localhost", None)

OF_THE_CLIENTS = (
    "Mode.[A-Z_0-9]+ is deprecated:DeprecationWarning",  # instructor, of modes that still work
    "The FUNCTIONS mode is deprecated:DeprecationWarning",
    "Items? .* using the `ReadOnly` qualifier:UserWarning",  # litellm, when it is imported
    "unclosed:ResourceWarning",  # litellm keeps its pool and its event loop to the end
)
"""Warnings that are about the clients' own code."""


def pytest_configure(config: pytest.Config) -> None:
    """Before any client is imported, as some look at the environment then, or call home."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept, HOME=tempfile.mkdtemp(), LITELLM_LOCAL_MODEL_COST_MAP="True")
    sys.addaudithook(_loopback_only)
    for warning in OF_THE_CLIENTS:
        config.addinivalue_line("filterwarnings", f"ignore:{warning}")
    # pytest collects garbage once more when the filters of the tests are no longer in force
    warnings.filterwarnings("ignore", "unclosed", ResourceWarning)


def _loopback_only(event: str, arguments: tuple[object, ...]) -> None:
    host: object = None
    match event, arguments:
        case ("socket.getaddrinfo", (asked, *_)):
            host = asked
        case ("socket.connect", (_, (asked, *_))):
            host = asked
    if host not in LOOPBACK:
        raise PermissionError(f"a client wanted to reach {host!r}")


@pytest.fixture(scope="session")
def cli_command() -> str:
    """The CLI: `DRAGOMAN_CLAUDE_COMMAND`, `claude` on PATH, or the one in the wheel of `.venv`."""
    in_wheel = next(
        ROOT.glob(".venv/lib/python*/site-packages/claude_agent_sdk/_bundled/claude"), None
    )
    found = os.environ.get("DRAGOMAN_CLAUDE_COMMAND") or shutil.which("claude") or in_wheel
    if found is None:
        pytest.fail("no claude command: set DRAGOMAN_CLAUDE_COMMAND, or run scripts/bootstrap cli")
    return str(found)
