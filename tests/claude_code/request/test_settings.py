"""From a request and its terms to the CLI's settings."""

import json
from typing import Any

import pytest

from gateway.types import ResponseFormat, Sampling, Tool, ToolChoice
from gateway_claude_code.request.settings import extra_body, flag_settings
from gateway_claude_code.request.terms import OFF, Terms
from gateway_claude_code.request.tools.tool_names import ToolNames
from tests.claude_code.claude_code_support import a_request

TOOLS = (Tool(name="look"), Tool(name="get.time"))
NAMES = ToolNames(tool.name for tool in TOOLS)
SCHEMA = ResponseFormat(kind="json_schema", schema={"type": "object"}, name="x")


def terms(**fields: Any) -> Terms:
    return Terms(**{"sampling": Sampling(), **fields})


@pytest.mark.parametrize(
    ("given", "body"),
    [
        (terms(), {}),
        (terms(sampling=Sampling(temperature=0)), {"temperature": 0}),
        (terms(sampling=Sampling(top_p=0.9, top_k=5)), {"top_p": 0.9, "top_k": 5}),
        (terms(sampling=Sampling(stop=("a", "b"))), {"stop_sequences": ["a", "b"]}),
        (terms(thinking=OFF), {"thinking": OFF, "context_management": {"edits": []}}),
        (
            terms(thinking={"type": "between_tools"}),
            {"thinking": {"type": "between_tools"}, "context_management": {"edits": []}},
        ),
        (
            terms(thinking={"type": "enabled", "budget_tokens": 1024}),
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        ),
    ],
)
def test_the_body(given: Terms, body: dict[str, Any]) -> None:
    assert extra_body(a_request(), NAMES, given) == body


@pytest.mark.parametrize(
    ("choice", "forced", "body"),
    [
        (ToolChoice(), True, {}),
        (ToolChoice(mode="none"), True, {"type": "none"}),
        (ToolChoice(parallel=False), True, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(mode="required"), True, {"type": "any"}),
        (ToolChoice(mode="required", names=("look", "get.time")), True, {"type": "any"}),
        (
            ToolChoice(mode="required", names=("get.time",)),
            True,
            {"type": "tool", "name": "mcp__t__get_time"},
        ),
        (
            ToolChoice(mode="required", names=("look",), parallel=False),
            True,
            {"type": "tool", "name": "mcp__t__look", "disable_parallel_tool_use": True},
        ),
        (ToolChoice(mode="required", names=("look",)), False, {}),
        (
            ToolChoice(mode="required", parallel=False),
            False,
            {"type": "auto", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_tool_choice(choice: ToolChoice, forced: bool, body: dict[str, Any]) -> None:
    request = a_request(tools=TOOLS, tool_choice=choice)
    found = extra_body(request, NAMES, terms(forced_choice=forced))
    assert found == ({"tool_choice": body} if body else {})


def test_a_tool_choice_without_tools_is_not_sent() -> None:
    request = a_request(tool_choice=ToolChoice(mode="required"))
    assert extra_body(request, ToolNames([]), terms()) == {}


def test_a_schema_goes_natively() -> None:
    native = {"type": "object", "additionalProperties": False}
    found = extra_body(a_request(response_format=SCHEMA), NAMES, terms(schema_way="native"), native)
    assert found == {"output_config": {"format": {"type": "json_schema", "schema": native}}}


@pytest.mark.parametrize("fields", [{}, {"tools": TOOLS}])
def test_a_schema_by_the_tool_forces_nothing(fields: dict[str, Any]) -> None:
    assert extra_body(a_request(response_format=SCHEMA, **fields), NAMES, terms()) == {}


def test_a_choice_of_none_does_not_forbid_the_tool_of_the_schema() -> None:
    none = {"tools": TOOLS, "tool_choice": ToolChoice(mode="none")}
    request = a_request(response_format=SCHEMA, **none)
    assert extra_body(request, NAMES, terms()) == {}
    native = extra_body(request, NAMES, terms(schema_way="native"), {})
    assert native["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize("effort", [None, "low", "max"])
def test_effort_is_a_setting_and_left_out_it_is_the_clis_own(effort: Any) -> None:
    assert flag_settings(a_request(), NAMES, terms(effort=effort)).get("effortLevel") == effort


@pytest.mark.parametrize(("tokens", "value"), [(None, ""), (2000, "2000")])
def test_the_output_limit_is_a_variable(tokens: int | None, value: str) -> None:
    given = terms(sampling=Sampling(max_output_tokens=tokens))
    settings = flag_settings(a_request(), NAMES, given)
    assert settings["env"]["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == value


def test_the_extra_body_is_json_in_a_variable() -> None:
    settings = flag_settings(a_request(), NAMES, terms(sampling=Sampling(stop=("END",))))
    assert json.loads(settings["env"]["CLAUDE_CODE_EXTRA_BODY"]) == {"stop_sequences": ["END"]}


def test_the_schema_keeps_the_order_of_its_properties() -> None:
    native = {"properties": {"steps": {}, "answer": {}}}
    request = a_request(response_format=SCHEMA)
    given = terms(schema_way="native")
    settings = flag_settings(request, NAMES, given, native_schema=native)
    body = json.loads(settings["env"]["CLAUDE_CODE_EXTRA_BODY"])
    assert list(body["output_config"]["format"]["schema"]["properties"]) == ["steps", "answer"]


@pytest.mark.parametrize("model", ["claude-x", None])
def test_the_model_is_a_setting_if_the_process_was_not_started_for_it(model: str | None) -> None:
    settings = flag_settings(a_request(), NAMES, terms(), switch_to=model)
    assert settings.get("model") == model
