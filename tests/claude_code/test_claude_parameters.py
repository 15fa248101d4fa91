"""From a request's parameters to the CLI's settings."""

import json
from typing import Any

import pytest
from claude_code_support import a_request

from gateway.types import Sampling, Tool, ToolChoice
from gateway_claude_code.parameters import EFFORT_LEVELS, extra_body, flag_settings
from gateway_claude_code.tool_names import ToolNames

TOOLS = (Tool(name="look"), Tool(name="get.time"))
NAMES = ToolNames(tool.name for tool in TOOLS)
NO_THINKING = {"thinking": {"type": "disabled"}, "context_management": {"edits": []}}


@pytest.mark.parametrize(
    ("sampling", "body"),
    [
        (Sampling(), {}),
        (Sampling(temperature=0), {"temperature": 0, **NO_THINKING}),
        (Sampling(temperature=0.5), {"temperature": 0.5, **NO_THINKING}),
        (Sampling(temperature=2), {"temperature": 1, **NO_THINKING}),
        (Sampling(top_p=0.9), {"top_p": 0.9, **NO_THINKING}),
        (Sampling(top_k=5), {"top_k": 5}),
        (Sampling(stop=("a", "b")), {"stop_sequences": ["a", "b"]}),
        (Sampling(max_output_tokens=1024), NO_THINKING),
        (Sampling(max_output_tokens=1025), {}),
    ],
)
def test_sampling(sampling: Sampling, body: dict[str, Any]) -> None:
    assert extra_body(a_request(sampling=sampling), NAMES) == body


@pytest.mark.parametrize(
    ("choice", "body"),
    [
        (ToolChoice(), {}),
        (ToolChoice(mode="none"), {"tool_choice": {"type": "none"}}),
        (
            ToolChoice(parallel=False),
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        (ToolChoice(mode="required"), {"tool_choice": {"type": "any"}, **NO_THINKING}),
        (
            ToolChoice(mode="required", names=("look", "get.time")),
            {"tool_choice": {"type": "any"}, **NO_THINKING},
        ),
        (
            ToolChoice(mode="required", names=("get.time",)),
            {"tool_choice": {"type": "tool", "name": "mcp__t__get_time"}, **NO_THINKING},
        ),
        (
            ToolChoice(mode="required", names=("look",), parallel=False),
            {
                "tool_choice": {
                    "type": "tool",
                    "name": "mcp__t__look",
                    "disable_parallel_tool_use": True,
                },
                **NO_THINKING,
            },
        ),
    ],
)
def test_tool_choice(choice: ToolChoice, body: dict[str, Any]) -> None:
    assert extra_body(a_request(tools=TOOLS, tool_choice=choice), NAMES) == body


def test_a_tool_choice_without_tools_is_not_sent() -> None:
    request = a_request(tool_choice=ToolChoice(mode="required"))
    assert extra_body(request, ToolNames([])) == {}


@pytest.mark.parametrize(("effort", "level"), list(EFFORT_LEVELS.items()))
def test_effort(effort: str, level: str) -> None:
    assert flag_settings(a_request(effort=effort), NAMES)["effortLevel"] == level


def test_without_an_effort_the_clis_own_holds() -> None:
    assert "effortLevel" not in flag_settings(a_request(), NAMES)


@pytest.mark.parametrize(("tokens", "value"), [(None, ""), (2000, "2000")])
def test_the_output_limit_is_a_variable(tokens: int | None, value: str) -> None:
    request = a_request(sampling=Sampling(max_output_tokens=tokens))
    assert flag_settings(request, NAMES)["env"]["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == value


def test_the_extra_body_is_json_in_a_variable() -> None:
    request = a_request(sampling=Sampling(stop=("END",)))
    body = flag_settings(request, NAMES)["env"]["CLAUDE_CODE_EXTRA_BODY"]
    assert json.loads(body) == {"stop_sequences": ["END"]}


def test_a_model_without_thinking_is_told_nothing_about_it() -> None:
    request = a_request(sampling=Sampling(temperature=0.5))
    assert extra_body(request, ToolNames([]), "us.anthropic.claude-3-5-haiku-20241022-v1:0") == {
        "temperature": 0.5
    }


@pytest.mark.parametrize(("switch", "model"), [(True, "claude-x"), (False, None)])
def test_the_model_is_a_setting_if_the_process_was_not_started_for_it(
    switch: bool, model: str | None
) -> None:
    settings = flag_settings(a_request(), ToolNames([]), "claude-x", switch=switch)
    assert settings.get("model") == model
