"""Request fields over the real CLI: what the upstream is asked, and nothing left of it after.

Each field is shown on a model that takes it, and on `claude-sonnet-4`, the default of many clients,
which takes less: `plugins/gateway_claude_code/facts/documented.py` has what each accepts.
"""

from collections.abc import Callable
from typing import Any

import pytest

from gateway_claude_code.upstream import Answer, TextBlock, ToolUseBlock, offline_script
from tests.cells import on_demand
from tests.e2e.bodies import Reply, changes, chat, comparable, function, last_request, user_blocks
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

SONNET, HAIKU = "claude-sonnet-4", "claude-haiku-4"
OLDER, BUDGET = "claude-opus-4-6", "claude-sonnet-4-5"
ONE_EACH_TIME = [
    SONNET, *(pytest.param(model, marks=pytest.mark.on_demand) for model in (HAIKU, BUDGET)),
]  # fmt: skip
TOOLS = [function("alpha", {"type": "object", "properties": {"x": {"type": "string"}}}),
         function("beta"), function("gamma")]  # fmt: skip
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
FREE_FORM = {**SCHEMA, "additionalProperties": {"type": "string"}}

NO_THINKING = {"thinking": {"type": "disabled"}, "context_management": {"edits": []}}
"""What the API wants together with some parameters, on some models."""
NO_EFFORT = "adjusted: reasoning_effort=none"


def choose(*names: str, mode: str = "auto") -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "who", "schema": schema}}


def said(reply: Reply) -> str:
    """The headers about the fields, as `adjusted: field=value; ignored: field`."""
    names = ("adjusted", "ignored")
    given = [(name, reply.headers.get(f"x-dragoman-{name}")) for name in names]
    return "; ".join(f"{name}: {value}" for name, value in given if value is not None)


Plain = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def baselines() -> dict[tuple[str, bool], dict[str, Any]]:
    """The bodies of requests without any field, by the model and by whether they have tools."""
    return {}


@pytest.fixture
def plain_body(gateway: RunningGateway, baselines: dict[tuple[str, bool], dict[str, Any]]) -> Plain:
    """The body of a request without any field: `plain_body(model, tools=True)`."""

    def body(model: str, *, tools: bool) -> dict[str, Any]:
        if (model, tools) not in baselines:
            chat(gateway, model=model, **({"tools": TOOLS} if tools else {}))
            baselines[model, tools] = comparable(last_request(gateway))
        return baselines[model, tools]

    return body


BETA = {"type": "function", "function": {"name": "beta"}}
ONE_CALL = {"disable_parallel_tool_use": True}

FIELDS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (SONNET, {"max_tokens": 77}, {"max_tokens": 77}, ""),
    on_demand(BUDGET, {"max_tokens": 77}, {"max_tokens": 77, **NO_THINKING}, NO_EFFORT),
    (SONNET, {"max_completion_tokens": 2077}, {"max_tokens": 2077}, ""),
    on_demand(SONNET, {"max_tokens": 50, "max_completion_tokens": 60}, {"max_tokens": 60}, ""),
    on_demand(
        BUDGET,
        {"max_tokens": 50, "max_completion_tokens": 60},
        {"max_tokens": 60, **NO_THINKING},
        NO_EFFORT,
    ),
    on_demand(SONNET, {"stop": "END"}, {"stop_sequences": ["END"]}, ""),
    (SONNET, {"stop": ["END", "\n\nHuman:"]}, {"stop_sequences": ["END", "\n\nHuman:"]}, ""),
    (OLDER, {"temperature": 0}, {"temperature": 0, **NO_THINKING}, NO_EFFORT),
    on_demand(BUDGET, {"temperature": 0.25}, {"temperature": 0.25, **NO_THINKING}, NO_EFFORT),
    on_demand(OLDER, {"top_p": 0.5}, {"top_p": 0.5, **NO_THINKING}, NO_EFFORT),
    on_demand(
        OLDER,
        {"temperature": 0.25, "top_p": 0.5},
        {"temperature": 0.25, **NO_THINKING},
        f"{NO_EFFORT}; ignored: top_p",
    ),
    (SONNET, {"temperature": 0}, {}, "ignored: temperature"),
    on_demand(SONNET, {"temperature": 1}, {}, ""),
    (SONNET, {"temperature": 1.5}, {}, "adjusted: temperature=1"),
    on_demand(SONNET, {"temperature": 0.25, "top_p": 0.5}, {}, "ignored: temperature,top_p"),
    (HAIKU, {"tools": TOOLS, "tool_choice": "required"}, {"tool_choice": {"type": "any"}}, ""),
    on_demand(
        OLDER,
        {"tools": TOOLS, "tool_choice": "required"},
        {"tool_choice": {"type": "any"}, **NO_THINKING},
        NO_EFFORT,
    ),
    (SONNET, {"tools": TOOLS, "tool_choice": "none"}, {"tool_choice": {"type": "none"}}, ""),
    (
        HAIKU,
        {"tools": TOOLS, "tool_choice": BETA},
        {"tool_choice": {"type": "tool", "name": "mcp__t__beta"}},
        "",
    ),
    on_demand(
        OLDER,
        {"tools": TOOLS, "tool_choice": BETA},
        {"tool_choice": {"type": "tool", "name": "mcp__t__beta"}, **NO_THINKING},
        NO_EFFORT,
    ),
    (
        SONNET,
        {"tools": TOOLS, "parallel_tool_calls": False},
        {"tool_choice": {"type": "auto", **ONE_CALL}},
        "",
    ),
    on_demand(
        HAIKU,
        {"tools": TOOLS, "parallel_tool_calls": False, "tool_choice": "required"},
        {"tool_choice": {"type": "any", **ONE_CALL}},
        "",
    ),
    on_demand(
        HAIKU,
        {"tools": TOOLS, "tool_choice": choose("beta", mode="required")},
        {"tool_choice": {"type": "tool", "name": "mcp__t__beta"}},
        "",
    ),
]


@pytest.mark.parametrize(("model", "fields", "expected", "headers"), FIELDS, ids=str)
def test_a_field_is_in_its_own_request_and_in_no_other(
    gateway: RunningGateway,
    plain_body: Plain,
    model: str,
    fields: dict[str, Any],
    expected: dict[str, Any],
    headers: str,
) -> None:
    plain = plain_body(model, tools="tools" in fields)
    reply = chat(gateway, stream=True, model=model, **fields)
    assert changes(plain, comparable(last_request(gateway))) == expected
    assert said(reply) == headers

    chat(gateway, model=model, **({"tools": TOOLS} if "tools" in fields else {}))
    assert comparable(last_request(gateway)) == plain


@pytest.mark.parametrize(
    ("fields", "demand", "tool_choice", "called"),
    [
        ({"tool_choice": "required"}, "Call at least one of your tools", None, "alpha"),
        ({"tool_choice": BETA}, "Call the `mcp__t__beta` tool", None, "beta"),
        on_demand(
            {"tool_choice": "required", "parallel_tool_calls": False},
            "Call at least one of your tools",
            {"type": "auto", **ONE_CALL},
            "alpha",
        ),
        on_demand(
            {"tool_choice": choose("beta", mode="required")},
            "Call the `mcp__t__beta` tool",
            None,
            "beta",
        ),
    ],
    ids=str,
)
def test_a_choice_that_the_model_does_not_take_is_demanded_in_its_last_turn_alone(
    gateway: RunningGateway,
    plain_body: Plain,
    fields: dict[str, Any],
    demand: str,
    tool_choice: object,
    called: str,
) -> None:
    plain = plain_body(SONNET, tools=True)
    reply = chat(gateway, stream=True, tools=TOOLS, **fields)
    assert [call["name"] for call in reply.choice.tool_calls] == [called]
    assert said(reply) == "adjusted: tool_choice=asked_for"
    changed = changes(plain, comparable(last_request(gateway)))
    assert changed.pop("tool_choice", None) == tool_choice
    assert changed.keys() == {"messages"}
    sentence = {"type": "text", "text": f"{demand} now, and do not answer in text."}
    assert user_blocks(last_request(gateway)) == [{"type": "text", "text": "Hi"}, sentence]

    chat(gateway, tools=TOOLS)
    assert comparable(last_request(gateway)) == plain


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 2000, "stop": ["END"], "temperature": 0.5, "reasoning_effort": "high"},
        on_demand({"model": OLDER, "max_tokens": 2000, "stop": ["END"], "temperature": 0.5}),
        {"tools": TOOLS, "tool_choice": "required", "parallel_tool_calls": False},
        on_demand(
            {
                "model": HAIKU,
                "tools": TOOLS,
                "tool_choice": "required",
                "parallel_tool_calls": False,
            }
        ),
    ],
    ids=["text", "sampled", "demanded", "forced"],
)
def test_streamed_or_not_is_the_same_upstream(
    gateway: RunningGateway, fields: dict[str, Any]
) -> None:
    chat(gateway, stream=True, **fields)
    chat(gateway, stream=False, **fields)
    streamed, whole = gateway.upstream.requests
    assert comparable(streamed) == comparable(whole)


@pytest.mark.parametrize(
    ("model", "mode", "choice", "stream"),
    [
        (SONNET, "auto", None, True),
        (SONNET, "required", None, False),
        (HAIKU, "required", {"type": "any"}, False),
    ],
)
def test_allowed_tools_are_all_that_the_model_sees(
    gateway: RunningGateway,
    plain_body: Plain,
    model: str,
    mode: str,
    choice: object,
    stream: bool,
) -> None:
    plain = plain_body(model, tools=True)
    allowed = choose("gamma", "alpha", mode=mode)
    reply = chat(gateway, stream=stream, model=model, tools=TOOLS, tool_choice=allowed)
    changed = changes(plain, comparable(last_request(gateway)))
    assert [tool["name"] for tool in changed["tools"]] == ["mcp__t__alpha", "mcp__t__gamma"]
    assert changed.get("tool_choice") == choice
    if mode == "required":
        assert [call["name"] for call in reply.choice.tool_calls] == ["alpha"]
    chat(gateway, model=model, tools=TOOLS)
    assert comparable(last_request(gateway)) == plain


@pytest.mark.parametrize(
    "effort", ["minimal", on_demand("low"), on_demand("medium"), "high", on_demand("xhigh"), "max"]
)
def test_reasoning_effort(gateway: RunningGateway, plain_body: Plain, effort: str) -> None:
    plain = plain_body(SONNET, tools=False)
    reply = chat(gateway, stream=effort == "high", reasoning_effort=effort)
    body = comparable(last_request(gateway))
    assert body["output_config"]["effort"] == ("low" if effort == "minimal" else effort)
    # newer versions of the CLI repeat it in a message of their own
    assert changes(plain, body).keys() <= {"output_config", "messages"}
    assert said(reply) == ("adjusted: reasoning_effort=low" if effort == "minimal" else "")


@pytest.mark.parametrize(
    ("model", "expected", "headers"),
    [
        (HAIKU, NO_THINKING, ""),
        (
            SONNET,
            {**NO_THINKING, "thinking": {"type": "between_tools"}},
            "adjusted: reasoning_effort=between_tools",
        ),
    ],
)
def test_an_effort_of_none_is_no_thinking(
    gateway: RunningGateway,
    plain_body: Plain,
    model: str,
    expected: dict[str, Any],
    headers: str,
) -> None:
    plain = plain_body(model, tools=False)
    reply = chat(gateway, model=model, reasoning_effort="none")
    assert changes(plain, comparable(last_request(gateway))) == expected
    assert said(reply) == headers
    chat(gateway, model=model)
    assert comparable(last_request(gateway)) == plain


def test_a_model_that_must_think_thinks_least_for_an_effort_of_none(
    gateway: RunningGateway,
) -> None:
    reply = chat(gateway, model="claude-opus-4", reasoning_effort="none")
    body = last_request(gateway).body
    assert (body["thinking"]["type"], body["output_config"]["effort"]) == ("adaptive", "low")
    assert said(reply) == "adjusted: reasoning_effort=low"


def test_reasoning_effort_ends_with_its_request(gateway: RunningGateway, plain_body: Plain) -> None:
    plain = plain_body(SONNET, tools=False)
    chat(gateway, reasoning_effort="max")
    assert comparable(last_request(gateway)) != plain
    chat(gateway)
    assert comparable(last_request(gateway)) == plain


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ONE_EACH_TIME)
def test_a_json_schema_is_the_format_of_the_output(
    gateway: RunningGateway, plain_body: Plain, model: str, stream: bool
) -> None:
    plain = plain_body(model, tools=False)
    gateway.upstream.script = lambda _: Answer(blocks=(TextBlock('{"name": "Zoë"}'),))
    fields = {"model": model, "response_format": json_schema(SCHEMA)}
    choice = chat(gateway, stream=stream, **fields).choice
    assert (choice.content, choice.tool_calls) == ('{"name": "Zoë"}', [])
    assert choice.finish_reason == "stop"
    wanted = {"format": {"type": "json_schema", "schema": SCHEMA}}
    changed = changes(plain, comparable(last_request(gateway)))
    assert changed == {"output_config": {**plain.get("output_config", {}), **wanted}}

    gateway.upstream.script = offline_script
    chat(gateway, model=model)
    assert comparable(last_request(gateway)) == plain


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ONE_EACH_TIME)
def test_a_json_schema_that_is_no_format_is_a_tool_that_may_be_called(
    gateway: RunningGateway, plain_body: Plain, model: str, stream: bool
) -> None:
    plain = plain_body(model, tools=False)
    gateway.upstream.script = lambda _: Answer(
        blocks=(ToolUseBlock("StructuredOutput", {"name": "Zoë"}),)
    )
    fields = {"model": model, "response_format": json_schema(FREE_FORM)}
    choice = chat(gateway, stream=stream, **fields).choice
    assert (choice.content, choice.tool_calls) == ('{"name": "Zoë"}', [])
    assert choice.finish_reason == "stop"
    changed = changes(plain, comparable(last_request(gateway)))
    assert changed.keys() == {"tools"}
    (tool,) = changed["tools"]
    assert (tool["name"], tool["input_schema"]) == ("StructuredOutput", FREE_FORM)

    gateway.upstream.script = offline_script
    chat(gateway, model=model)
    assert comparable(last_request(gateway)) == plain
