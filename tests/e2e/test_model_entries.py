"""What a model's entry in the YAML says, over the real CLI."""

import pytest

from tests.e2e.bodies import last_request, post
from tests.e2e.conftest import StartGateway

pytestmark = pytest.mark.e2e


def test_an_entry_reaches_the_upstream(start_gateway: StartGateway) -> None:
    entry = {
        "backend": "claude-code",
        "target": "sonnet",
        "system": "Be brief.",
        "thinking": "off",
        "limits": {"max_output_tokens": 4000},
    }
    gateway = start_gateway(config={"models": {"quick": entry}})
    reply = post(gateway, model="quick", max_tokens=5000)
    asked = last_request(gateway).body
    assert reply.headers["x-dragoman-adjusted"] == "max_tokens=4000"
    assert (asked["max_tokens"], asked["thinking"]) == (4000, {"type": "disabled"})
    assert "Be brief." in str(asked["system"])
