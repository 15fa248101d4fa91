"""What a model's entry in the YAML says, over the real CLI."""

import pytest

from tests.cells import on_demand
from tests.e2e.bodies import function, last_request, post
from tests.e2e.conftest import StartGateway

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("target", "thinking", "adjusted"),
    [
        on_demand("haiku", "disabled", "max_tokens=4000"),
        ("sonnet", "between_tools", "max_tokens=4000,reasoning_effort=between_tools"),
    ],
)
def test_an_entry_reaches_the_upstream(
    start_gateway: StartGateway, target: str, thinking: str, adjusted: str
) -> None:
    entry = {
        "backend": "claude-code",
        "target": target,
        "system": "Be brief.",
        "thinking": "off",
        "limits": {"max_output_tokens": 4000},
    }
    gateway = start_gateway(config={"models": {"quick": entry}})
    reply = post(gateway, model="quick", max_tokens=5000)
    asked = last_request(gateway).body
    assert reply.headers["x-dragoman-adjusted"] == adjusted
    assert (asked["max_tokens"], asked["thinking"]) == (4000, {"type": thinking})
    assert "Be brief." in str(asked["system"])


def test_what_an_entry_says_of_its_model_goes_over_the_documentation(
    start_gateway: StartGateway,
) -> None:
    facts = {"thinking": ["adaptive"], "forced_tool_choice": False}
    entry = {
        "backend": "claude-code",
        "target": "haiku",
        "thinking": "off",
        "options": {"facts": facts},
    }
    gateway = start_gateway(config={"models": {"thinker": entry}})
    tools = [function("look", {"type": "object", "properties": {}})]
    reply = post(gateway, model="thinker", tools=tools, tool_choice="required")
    adjusted = "reasoning_effort=low,tool_choice=asked_for"
    assert reply.headers["x-dragoman-adjusted"] == adjusted
    request = last_request(gateway)
    assert request.body["thinking"]["type"] == "adaptive"
    assert request.tool_choice.get("type", "auto") == "auto"
