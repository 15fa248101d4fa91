"""The Node clients of this folder; `scripts/test-clients` installs them and chooses the `node`."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.node.node_client import NODE_MODULES, NodeClient, configured
from tests.e2e.conftest import _shared_gateway, cli_command, gateway
from tests.e2e.gateways import RunningGateway
from tests.pages import ROOT

__all__ = ["_shared_gateway", "cli_command", "gateway"]

MakeClient = Callable[..., NodeClient]


@pytest.fixture(scope="session")
def node() -> str:
    """The path of a `node` that is new enough, with the packages in place."""
    found = subprocess.run(
        ["sh", "scripts/find-node"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode != 0 or not NODE_MODULES.is_dir():
        pytest.fail(f"`make test-clients` installs the Node clients. {found.stderr}")
    return f"{found.stdout.strip()}/node"


@pytest.fixture
def make_client(gateway: RunningGateway, node: str, tmp_path: Path) -> MakeClient:
    """Makes a client of the gateway: `make_client(script="ai_sdk", name="ai-sdk")`.

    `name` is that of its configuration in docs/clients.md.
    """

    def make(*, script: str, name: str) -> NodeClient:
        configured(name, gateway.url, tmp_path)
        return NodeClient(node=node, script=script, folder=tmp_path)

    return make
