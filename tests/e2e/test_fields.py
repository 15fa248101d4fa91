"""Request fields over the real CLI: what the upstream is asked, and nothing left of it after."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway_claude_code.upstream import (
    Answer,
    Failure,
    Gate,
    MessagesRequest,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    offline_script,
    running_upstream,
    text_answer,
)
from tests.e2e.bodies import Choice, changes, chat, comparable, function, last_request, post
from tests.e2e.gateways import A_PROCESS_A_REQUEST, RunningGateway, running_gateway

pytestmark = pytest.mark.e2e

TOOLS = [function("alpha", {"type": "object", "properties": {"x": {"type": "string"}}}),
         function("beta"), function("gamma")]  # fmt: skip
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "who", "schema": SCHEMA}}

NO_THINKING = {"thinking": {"type": "disabled"}, "context_management": {"edits": []}}
"""What the API wants together with some parameters."""


def choose(*names: str, mode: str = "auto") -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


@pytest.fixture(scope="module")
def baselines() -> dict[bool, dict[str, Any]]:
    """The bodies of requests without any field, by whether they have tools."""
    return {}


@pytest.fixture
def plain_bodies(
    gateway: RunningGateway, baselines: dict[bool, dict[str, Any]]
) -> dict[bool, dict[str, Any]]:
    if not baselines:
        for tools in (False, True):
            chat(gateway, **({"tools": TOOLS} if tools else {}))
            baselines[tools] = comparable(last_request(gateway))
    return baselines


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 77}, {"max_tokens": 77, **NO_THINKING}),
        ({"max_completion_tokens": 2077}, {"max_tokens": 2077}),
        ({"max_tokens": 50, "max_completion_tokens": 60}, {"max_tokens": 60, **NO_THINKING}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["END", "\n\nHuman:"]}, {"stop_sequences": ["END", "\n\nHuman:"]}),
        ({"temperature": 0}, {"temperature": 0, **NO_THINKING}),
        ({"temperature": 0.25}, {"temperature": 0.25, **NO_THINKING}),
        ({"top_p": 0.5}, {"top_p": 0.5, **NO_THINKING}),
        (
            {"tools": TOOLS, "tool_choice": "required"},
            {"tool_choice": {"type": "any"}, **NO_THINKING},
        ),
        ({"tools": TOOLS, "tool_choice": "none"}, {"tool_choice": {"type": "none"}}),
        (
            {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "beta"}}},
            {"tool_choice": {"type": "tool", "name": "mcp__t__beta"}, **NO_THINKING},
        ),
        (
            {"tools": TOOLS, "parallel_tool_calls": False},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        (
            {"tools": TOOLS, "parallel_tool_calls": False, "tool_choice": "required"},
            {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}, **NO_THINKING},
        ),
        (
            {"tools": TOOLS, "tool_choice": choose("beta", mode="required")},
            {"tool_choice": {"type": "tool", "name": "mcp__t__beta"}, **NO_THINKING},
        ),
    ],
    ids=str,
)
def test_a_field_is_in_its_own_request_and_in_no_other(
    gateway: RunningGateway,
    plain_bodies: dict[bool, dict[str, Any]],
    fields: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    plain = plain_bodies["tools" in fields]
    chat(gateway, stream=True, **fields)
    changed = changes(plain, comparable(last_request(gateway)))
    assert changed == expected

    chat(gateway, **({"tools": TOOLS} if "tools" in fields else {}))
    assert comparable(last_request(gateway)) == plain


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 2000, "stop": ["END"], "temperature": 0.5, "reasoning_effort": "high"},
        {"tools": TOOLS, "tool_choice": "required", "parallel_tool_calls": False},
    ],
    ids=["text", "tools"],
)
def test_streamed_or_not_is_the_same_upstream(
    gateway: RunningGateway, fields: dict[str, Any]
) -> None:
    chat(gateway, stream=True, **fields)
    chat(gateway, stream=False, **fields)
    streamed, whole = gateway.upstream.requests
    assert comparable(streamed) == comparable(whole)


@pytest.mark.parametrize(
    ("mode", "choice", "stream"), [("auto", None, True), ("required", {"type": "any"}, False)]
)
def test_allowed_tools_are_all_that_the_model_sees(
    gateway: RunningGateway,
    plain_bodies: dict[bool, dict[str, Any]],
    mode: str,
    choice: object,
    stream: bool,
) -> None:
    allowed = choose("gamma", "alpha", mode=mode)
    chat(gateway, stream=stream, tools=TOOLS, tool_choice=allowed)
    changed = changes(plain_bodies[True], comparable(last_request(gateway)))
    assert [tool["name"] for tool in changed["tools"]] == ["mcp__t__alpha", "mcp__t__gamma"]
    assert changed.get("tool_choice") == choice
    chat(gateway, tools=TOOLS)
    assert comparable(last_request(gateway)) == plain_bodies[True]


@pytest.mark.parametrize(
    ("effort", "level"),
    [("none", "low"), ("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high"),
     ("xhigh", "xhigh"), ("max", "max")],
)  # fmt: skip
def test_reasoning_effort(
    gateway: RunningGateway, plain_bodies: dict[bool, dict[str, Any]], effort: str, level: str
) -> None:
    chat(gateway, stream=effort == "high", reasoning_effort=effort)
    body = comparable(last_request(gateway))
    assert body["output_config"]["effort"] == level
    # newer versions of the CLI repeat it in a message of their own
    assert changes(plain_bodies[False], body).keys() <= {"output_config", "messages"}


def test_reasoning_effort_ends_with_its_request(
    gateway: RunningGateway, plain_bodies: dict[bool, dict[str, Any]]
) -> None:
    chat(gateway, reasoning_effort="max")
    assert comparable(last_request(gateway)) != plain_bodies[False]
    chat(gateway)
    assert comparable(last_request(gateway)) == plain_bodies[False]


@pytest.mark.parametrize("stream", [False, True])
def test_json_schema_is_a_tool_that_must_be_called(
    gateway: RunningGateway, plain_bodies: dict[bool, dict[str, Any]], stream: bool
) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(ToolUseBlock("StructuredOutput", {"name": "Zoë"}),)
    )
    choice = chat(gateway, stream=stream, response_format=JSON_SCHEMA).choice
    assert (choice.content, choice.tool_calls) == ('{"name": "Zoë"}', [])
    assert choice.finish_reason == "stop"
    changed = changes(plain_bodies[False], comparable(last_request(gateway)))
    assert changed.keys() == {"tools", "tool_choice", *NO_THINKING}
    assert {name: changed[name] for name in NO_THINKING} == NO_THINKING
    (tool,) = changed["tools"]
    assert (tool["name"], tool["input_schema"]) == ("StructuredOutput", SCHEMA)
    assert changed["tool_choice"] == {"type": "tool", "name": "StructuredOutput"}

    gateway.upstream.script = offline_script
    chat(gateway)
    assert comparable(last_request(gateway)) == plain_bodies[False]


def test_a_temperature_above_the_highest_is_lowered_with_a_word(gateway: RunningGateway) -> None:
    reply = chat(gateway, stream=True, temperature=1.5)
    assert last_request(gateway).body["temperature"] == 1
    assert reply.headers["x-dragoman-adjusted"] == "temperature=1"


# -- answers ------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_comes_before_the_text(gateway: RunningGateway, stream: bool) -> None:
    thoughts = "First this, and then that, and so on."
    gateway.upstream.script = lambda _: Answer(
        blocks=(ThinkingBlock(thoughts), TextBlock("So it is."))
    )
    choice = chat(gateway, stream=stream).choice
    assert (choice.reasoning, choice.content) == (thoughts, "So it is.")
    if stream:
        first_text = choice.order.index("content")
        assert choice.order[:first_text] == ["reasoning_content"] * first_text
        assert first_text > 1
        assert "reasoning_content" not in choice.order[first_text:]


@pytest.mark.parametrize("stream", [False, True])
def test_n_answers_are_asked_for_at_the_same_time(gateway: RunningGateway, stream: bool) -> None:
    gate = Gate()  # no answer goes on before all three requests are there
    numbers = iter("123")

    def script(_: MessagesRequest) -> Answer:
        number = next(numbers)
        if number == "3":
            gate.open()
        return Answer(blocks=(TextBlock(f"I am {number}"),), gates={1: gate}, piece_chars=2)

    gateway.upstream.script = script
    choices = chat(gateway, stream=stream, n=3).choices
    assert sorted(choice.content for choice in choices) == ["I am 1", "I am 2", "I am 3"]
    assert [choice.finish_reason for choice in choices] == ["stop"] * 3
    first, *others = [comparable(request) for request in gateway.upstream.requests]
    assert others == [first, first]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("stop", "pieces", "content", "upstream_stop"),
    [
        ("\n\n", ("one", "\n", "two", "\n", " ", "\n"), "one\ntwo\n \n", None),
        ("\n", ("one", " two\nthree"), "one two", None),
        (["\n\n\n", " \t "], ("a \n\n", " ", "\t", " b"), "a \n\n", None),
        (["END", "\n\n"], ("one\n", "\nEND"), "one", ["END"]),
    ],
)
def test_stop_sequences_of_white_space_cut_the_text_wherever_chunks_end(
    gateway: RunningGateway,
    stream: bool,
    stop: object,
    pieces: tuple[str, ...],
    content: str,
    upstream_stop: object,
) -> None:
    gateway.upstream.script = lambda _: text_answer(*pieces)
    choice = chat(gateway, stream=stream, stop=stop).choice
    assert (choice.content, choice.finish_reason) == (content, "stop")
    assert last_request(gateway).body.get("stop_sequences") == upstream_stop


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
    ],
)
def test_finish_reasons(
    gateway: RunningGateway, stream: bool, stop_reason: str, finish_reason: str
) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(TextBlock("some text"),), stop_reason=stop_reason
    )
    choice = chat(gateway, stream=stream).choice
    assert (choice.finish_reason, choice.content) == (finish_reason, "some text")


@pytest.mark.parametrize("stream", [False, True])
def test_the_finish_reason_of_a_call(gateway: RunningGateway, stream: bool) -> None:
    gateway.upstream.script = lambda _: Answer(blocks=(ToolUseBlock("mcp__t__beta"),))
    choice = chat(gateway, stream=stream, tools=TOOLS).choice
    assert choice.finish_reason == "tool_calls"
    assert [call["name"] for call in choice.tool_calls] == ["beta"]


# -- what the API refuses -----------------------------------------------------------------


@pytest.fixture(scope="module")
def _sampling_gateway(
    tmp_path_factory: pytest.TempPathFactory, cli_command: str
) -> Iterator[RunningGateway]:
    entries: dict[str, object] = {
        name: {"backend": "claude-code", "target": target, "sampling": sampling}
        for name, target, sampling in (
            ("takes", "sonnet", True),
            ("refuses", "sonnet", False),
            ("learns-temperature", "claude-model-1", "auto"),
            ("learns-top_p", "claude-model-2", "auto"),
        )
    }
    with running_upstream(offline_script) as upstream:
        environment = {"DRAGOMAN_CLAUDE_COMMAND": cli_command}
        folder = tmp_path_factory.mktemp("gateway")
        with running_gateway(
            folder, upstream, {**A_PROCESS_A_REQUEST, "models": entries}, environment
        ) as gateway:
            yield gateway


@pytest.fixture
def sampling_gateway(_sampling_gateway: RunningGateway) -> RunningGateway:
    """A gateway with a model for each setting of `sampling`."""
    assert _sampling_gateway.wait_until_idle() == []
    _sampling_gateway.upstream.script = offline_script
    _sampling_gateway.upstream.requests.clear()
    return _sampling_gateway


@pytest.mark.parametrize(
    ("param", "message", "stream"),
    [
        ("temperature", "temperature: Extra inputs are not permitted", False),
        ("temperature", "`temperature` is deprecated for this model.", True),
        ("top_p", "top_p: Extra inputs are not permitted", True),
    ],
)
def test_a_refused_sampling_parameter_is_named(
    sampling_gateway: RunningGateway, param: str, message: str, stream: bool
) -> None:
    sampling_gateway.upstream.script = lambda _: Failure(400, "invalid_request_error", message)
    reply = post(sampling_gateway, stream=stream, model="takes", **{param: 0.5})
    assert (reply.status, reply.error["param"]) == (400, param)
    assert message in reply.error["message"]
    # the CLI may ask again by itself, but not without the parameter
    assert [request.body[param] for request in sampling_gateway.upstream.requests][-1] == 0.5


def test_sampling_parameters_are_not_sent_to_a_model_that_takes_none(
    sampling_gateway: RunningGateway,
) -> None:
    chat(sampling_gateway, model="refuses")
    plain = comparable(last_request(sampling_gateway))
    reply = chat(sampling_gateway, stream=True, model="refuses", temperature=0, top_p=0.5)
    assert reply.headers["x-dragoman-ignored"] == "temperature,top_p"
    assert comparable(last_request(sampling_gateway)) == plain


@pytest.mark.parametrize(
    ("param", "message", "stream"),
    [
        ("temperature", "temperature: Extra inputs are not permitted", False),
        ("top_p", "`top_p` is deprecated for this model.", True),
    ],
)
def test_a_refused_sampling_parameter_is_left_out_and_remembered(
    sampling_gateway: RunningGateway, param: str, message: str, stream: bool
) -> None:
    def script(request: MessagesRequest) -> Answer | Failure:
        if param in request.body:
            return Failure(400, "invalid_request_error", message)
        return text_answer("Fine.")

    sampling_gateway.upstream.script = script
    sent: list[list[bool]] = []
    for _ in range(2):
        sampling_gateway.upstream.requests.clear()
        reply = chat(sampling_gateway, stream=stream, model=f"learns-{param}", **{param: 0.5})
        assert reply.headers["x-dragoman-ignored"] == param
        assert reply.choice.content == "Fine."
        sent.append([param in request.body for request in sampling_gateway.upstream.requests])
    # the CLI may repeat what was refused by itself
    first, second = sent
    assert (first[0], first.count(False), first[-1]) == (True, 1, False)
    assert second == [False]


@pytest.mark.parametrize(
    ("message", "param", "stream"),
    [
        ("max_tokens: 999999 > 64000, which is the maximum allowed", "max_tokens", True),
        ("tools.0.custom.name: String should match pattern", "tools", False),
        ("messages.3.content: Input should be a valid list", "messages", True),
        ("stop_sequences: each stop sequence must contain non-whitespace", "stop", False),
        ("tool_choice: Thinking may not be enabled", "tool_choice", True),
    ],
)
def test_any_other_refused_parameter_is_named(
    gateway: RunningGateway, message: str, param: str, stream: bool
) -> None:
    gateway.upstream.script = lambda _: Failure(400, "invalid_request_error", message)
    reply = post(gateway, stream=stream)
    assert (reply.status, reply.error["param"]) == (400, param)
    assert message in reply.error["message"]
    assert reply.error["type"] == "invalid_request_error"


def test_an_answer_without_anything_is_empty(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: Answer(blocks=())
    assert chat(gateway).choice == Choice(finish_reason="stop")
