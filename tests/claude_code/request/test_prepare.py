"""What is decided about a request before a process is touched."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import InvalidRequest, ModelNotFound
from gateway.types import (
    ChatRequest,
    Client,
    Message,
    ResponseFormat,
    Sampling,
    Target,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)
from gateway_claude_code.channel.mcp_bridge import bridge_of
from gateway_claude_code.conversations.turn_plan import reader_of
from gateway_claude_code.request.prepare import FEW_TOKENS, JSON_ONLY, model_name, prepare
from tests.claude_code.claude_code_support import TARGET, a_request

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
BY_SCHEMA = ResponseFormat(kind="json_schema", schema=SCHEMA)
FREE_FORM = ResponseFormat(
    kind="json_schema", schema={"type": "object", "additionalProperties": {"type": "integer"}}
)
"""Objects of any names: the API's own structured output has none."""
LOOK, LISTEN, SMELL = (Tool(name=name) for name in ("look", "listen", "smell"))
CALLS = Message(
    role="assistant", parts=(ToolCall(id="1", name="look"), ToolCall(id="2", name="dig"))
)


# -- the model ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["opus", "claude-3-5-sonnet@20241022", "us.anthropic.claude:0", "sonnet[1m]", "a/b", "x" * 256],
)
def test_names_that_can_stand_on_a_command_line(name: str) -> None:
    assert prepare(a_request(), replace(TARGET, name=name)).model == name


@pytest.mark.parametrize(
    "name", ["", "-p", "--model", "a b", "a\n", "opus;ls", "x" * 257, "ä", "$(id)", "a\x00"]
)
def test_names_that_no_model_has(name: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        prepare(a_request(), replace(TARGET, name=name))
    assert caught.value.param == "model"


# -- tools --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "offered"),
    [
        (ToolChoice(), ["look", "listen", "smell"]),
        (ToolChoice(mode="none"), ["look", "listen", "smell"]),
        (ToolChoice(mode="required"), ["look", "listen", "smell"]),
        (ToolChoice(mode="required", names=("look",)), ["look", "listen", "smell"]),
        (ToolChoice(mode="required", names=("smell", "look")), ["look", "smell"]),
        (ToolChoice(mode="auto", names=("listen",)), ["listen"]),
    ],
)
def test_a_choice_of_names_leaves_only_those(choice: ToolChoice, offered: list[str]) -> None:
    request = a_request(tools=(LOOK, LISTEN, SMELL), tool_choice=choice)
    prepared = prepare(request, TARGET).request
    assert [tool.name for tool in prepared.tools] == offered
    assert prepared.tool_choice == choice


def test_tools_that_are_no_longer_offered_are_known_but_not_called() -> None:
    request = a_request()
    request = replace(request, messages=(*request.messages, CALLS))
    prepared = prepare(request, TARGET)
    assert [tool.name for tool in prepared.request.tools] == ["dig", "look"]
    assert prepared.request.tool_choice == ToolChoice(mode="none")
    assert bridge_of(prepared) is not None


def test_without_tools_and_calls_there_is_no_server_of_tools() -> None:
    assert bridge_of(prepare(a_request(), TARGET)) is None


# -- the form of the answer ---------------------------------------------------------------


def test_a_schema_that_fits_goes_to_the_api_and_not_to_the_cli() -> None:
    prepared = prepare(a_request(response_format=BY_SCHEMA), TARGET)
    assert prepared.json_schema is None
    body = json.loads(prepared.settings(seeded=True)["env"]["CLAUDE_CODE_EXTRA_BODY"])
    assert body["output_config"]["format"]["schema"] == {**SCHEMA, "additionalProperties": False}


def test_a_schema_that_does_not_fit_is_for_the_cli_unless_a_call_is_required() -> None:
    asked = a_request(response_format=FREE_FORM, tools=(LOOK,))
    assert prepare(asked, TARGET).json_schema == FREE_FORM.schema
    must_call = replace(asked, tool_choice=ToolChoice(mode="required"))
    assert prepare(must_call, TARGET).json_schema is None
    assert prepare(must_call, TARGET).digests.setting != prepare(asked, TARGET).digests.setting


def test_a_schema_that_is_none_is_refused() -> None:
    wrong = ResponseFormat(kind="json_schema", schema={"type": 5})
    with pytest.raises(InvalidRequest, match="schema of the answer is not valid") as caught:
        prepare(a_request(response_format=wrong), TARGET)
    assert caught.value.param == "response_format"


@pytest.mark.parametrize(("system", "told"), [("", JSON_ONLY), ("Hm.", f"Hm.\n\n{JSON_ONLY}")])
def test_an_object_is_asked_for_in_words(system: str, told: str) -> None:
    asked = a_request(system=system, response_format=ResponseFormat(kind="json_object"))
    assert prepare(asked, TARGET).request.system == told


def test_the_reader_is_for_the_form_that_was_asked_for() -> None:
    assert reader_of(prepare(a_request(response_format=FREE_FORM), TARGET)).wants_output
    assert not reader_of(prepare(a_request(response_format=BY_SCHEMA), TARGET)).wants_output
    assert not reader_of(prepare(a_request(), TARGET)).wants_output


# -- what kind of process -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "plain", "one_request"),
    [
        ({}, True, False),
        ({"sampling": Sampling(max_output_tokens=FEW_TOKENS)}, True, True),
        ({"sampling": Sampling(max_output_tokens=FEW_TOKENS + 1)}, True, False),
        ({"sampling": Sampling(max_output_tokens=1), "tools": (LOOK,)}, False, False),
        ({"sampling": Sampling(max_output_tokens=1), "response_format": BY_SCHEMA}, True, True),
        ({"sampling": Sampling(max_output_tokens=1), "response_format": FREE_FORM}, False, False),
        ({"response_format": ResponseFormat(kind="json_object")}, True, False),
    ],
)
def test_answers_of_few_tokens_come_from_processes_that_ask_once(
    fields: dict[str, Any], plain: bool, one_request: bool
) -> None:
    prepared = prepare(a_request(**fields), TARGET)
    assert (prepared.plain, prepared.one_request) == (plain, one_request)


# -- what a process is known by -----------------------------------------------------------

FULL = a_request(
    system="Be brief.",
    tools=(replace(LOOK, description="Looks."),),
    response_format=BY_SCHEMA,
    effort="low",
    client=Client(key="bob", address="10.0.0.1"),
    sampling=Sampling(max_output_tokens=500, temperature=0.5, top_p=0.5, top_k=5, stop=("x", "y")),
    tool_choice=ToolChoice(mode="none", names=("look",), parallel=False),
)

OF_THE_SETTING: list[dict[str, Any]] = [
    {"system": "Be brief"},
    {"tools": ()},
    {"tools": (LOOK,)},
    {"tools": (replace(FULL.tools[0], name="Look"),)},
    {"tools": (replace(FULL.tools[0], schema=SCHEMA),)},
    {"tools": (*FULL.tools, LISTEN)},
    {"response_format": ResponseFormat()},
    {"response_format": ResponseFormat(kind="json_schema", schema={"type": "object"})},
    {"effort": None},
    {"effort": "high"},
    {"client": Client(key="alice", address="10.0.0.1")},
    {"client": Client(address="10.0.0.1")},
    {"client": Client(address="bob")},
    {"client": Client(key="10.0.0.1", address="bob")},
]
OF_THE_PARAMETERS: list[dict[str, Any]] = [
    *(
        {"sampling": replace(FULL.sampling, **{name: value})}
        for name, values in {
            "max_output_tokens": (None, 501),
            "temperature": (None, 0.6, 0),
            "top_p": (None, 0.6),
            "top_k": (None, 6),
            "stop": ((), ("x",), ("y", "x"), ("xy",)),
        }.items()
        for value in values
    ),
    {"tool_choice": replace(FULL.tool_choice, parallel=True)},
    {"tool_choice": replace(FULL.tool_choice, names=())},
    {"tool_choice": replace(FULL.tool_choice, mode="auto")},
]


def keys(request: ChatRequest) -> tuple[bytes, bytes]:
    """For an answer that is complete, and for one that ended in calls."""
    prepared = prepare(request, TARGET)
    messages = (*request.messages, Message(role="assistant", parts=(Text(text="So"),)))
    return prepared.key(messages, parked=False), prepared.key(messages, parked=True)


@pytest.mark.parametrize("change", OF_THE_SETTING, ids=str)
def test_another_setting_is_never_the_same_process(change: dict[str, Any]) -> None:
    complete, parked = keys(replace(FULL, **change))
    assert complete not in keys(FULL)
    assert parked not in keys(FULL)


@pytest.mark.parametrize("change", OF_THE_PARAMETERS, ids=str)
def test_other_parameters_are_the_same_process_only_while_calls_wait(
    change: dict[str, Any],
) -> None:
    complete, parked = keys(replace(FULL, **change))
    assert complete not in keys(FULL)
    sampling = change.get("sampling", FULL.sampling)
    same_limit = sampling.max_output_tokens == FULL.sampling.max_output_tokens
    assert (parked == keys(FULL)[1]) is same_limit


def test_no_two_of_them_are_the_same() -> None:
    requests = [FULL, *(replace(FULL, **change) for change in OF_THE_SETTING)]
    settings = {prepare(request, TARGET).digests.setting for request in requests}
    assert len(settings) == len(requests)
    requests = [FULL, *(replace(FULL, **change) for change in OF_THE_PARAMETERS)]
    assert len({prepare(request, TARGET).digests.parameters for request in requests}) == len(
        requests
    )


def test_another_model_is_another_setting() -> None:
    other = prepare(FULL, replace(TARGET, name="other"))
    assert other.digests.setting != prepare(FULL, TARGET).digests.setting


@pytest.mark.parametrize("system", ["", " ", "\n\t "])
def test_a_system_text_of_blanks_is_left_out(system: str) -> None:
    assert prepare(a_request(system=system), TARGET).request.system == ""


@pytest.mark.parametrize("name", ["", "a b", "-x", "x\0", "a\nb", "é", "x" * 257])
def test_what_can_be_no_model_name_is_not_found(name: str) -> None:
    with pytest.raises(ModelNotFound):
        model_name(Target(model="m", backend="claude-code", name=name))


@pytest.mark.parametrize(
    "name", ["opus", "claude-sonnet-4-5@20250929", "us.anthropic.claude-v1:0", "sonnet[1m]"]
)
def test_model_names_of_all_providers(name: str) -> None:
    assert model_name(Target(model="m", backend="claude-code", name=name)) == name
