"""These tests use processes as everybody does: one after another, many requests each."""

import pytest

from tests.e2e.gateways import RunningGateway


@pytest.fixture
def gateway(gateway_as_usual: RunningGateway) -> RunningGateway:
    """The gateway with the default configuration."""
    return gateway_as_usual
