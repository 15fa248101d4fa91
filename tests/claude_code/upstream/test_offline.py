"""What `--offline` answers."""

import json
from typing import Any

import pytest

from gateway_claude_code.upstream import Answer, MessagesRequest, TextBlock, ToolUseBlock
from gateway_claude_code.upstream.offline import STRUCTURED_OUTPUT, offline_script

ADD = {
    "name": "mcp__t__add",
    "input_schema": {
        "type": "object",
        "properties": {"a": {"type": "integer", "minimum": 1}},
        "required": ["a"],
    },
}
WEATHER = {"name": "mcp__t__get_weather", "input_schema": {"type": "object"}}
STRUCTURED = {"name": STRUCTURED_OUTPUT, "input_schema": {"required": ["n"]}}


def ask(content: object = "Hello", *, says_so: bool = False, hint: str = "", **body: Any) -> Answer:
    values = {"max_tokens": 1000, "messages": [{"role": "user", "content": content}], **body}
    size = len(json.dumps(values))
    request = MessagesRequest(body=values, size=size, headers={}, received=0.0)
    return offline_script(request, says_so=says_so, hint=hint)


def text_of(answer: Answer) -> str:
    (block,) = answer.blocks
    assert isinstance(block, TextBlock)
    return block.text


def calls_of(answer: Answer) -> list[tuple[str, object]]:
    return [(block.name, block.input) for block in answer.blocks if isinstance(block, ToolUseBlock)]


def test_it_says_that_it_is_offline_and_what_was_said() -> None:
    text = text_of(ask("How are you?"))
    assert text.startswith("(offline) Dragoman's built-in stand-in")
    assert text.endswith("You said: How are you?")


def test_it_says_how_to_get_real_answers() -> None:
    text = text_of(ask("Hi", hint="Log in, and the model answers."))
    assert text == (
        "(offline) Dragoman's built-in stand-in answers here; no model was asked. "
        "Log in, and the model answers. You said: Hi"
    )


def test_an_object_without_a_schema_says_it_in_json() -> None:
    said = json.loads(text_of(ask("How?", system="Answer with one JSON object, no more.")))
    assert said["offline"].startswith("(offline) Dragoman's built-in stand-in")
    assert said["you_said"] == "How?"


@pytest.mark.parametrize(
    ("content", "tool_choice", "texts"),
    [
        ("call add", None, 1),
        ("call add", {"type": "auto"}, 1),
        ("call add", {"type": "any"}, 0),
        ("Hello", {"type": "tool", "name": "mcp__t__add"}, 0),
        ("Call at least one of your tools now.", None, 0),
        ("Hello", None, 0),
    ],
    ids=["asked for", "auto", "any", "forced", "demanded", "structured output"],
)
def test_before_a_call_it_says_so_where_a_model_may(
    content: str, tool_choice: dict[str, str] | None, texts: int
) -> None:
    tools = [STRUCTURED] if content == "Hello" and tool_choice is None else [ADD]
    *before, call = ask(content, tools=tools, tool_choice=tool_choice, says_so=True).blocks
    assert isinstance(call, ToolUseBlock)
    assert len([block for block in before if isinstance(block, TextBlock)]) == texts


def test_a_long_message_is_not_quoted_whole() -> None:
    assert len(text_of(ask("x" * 10_000, max_tokens=10_000))) < 2_200


def test_max_tokens_cuts() -> None:
    answer = ask(max_tokens=3)
    assert text_of(answer) == "(offline) Dr"
    assert answer.stop_reason == "max_tokens"
    assert answer.usage.output_tokens == 3


def test_the_first_stop_sequence_in_the_text_cuts() -> None:
    answer = ask("one END two STOP", stop_sequences=["STOP", "END", "never"])
    assert text_of(answer).endswith("You said: one ")
    assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "END")


def test_usage_grows_with_the_request() -> None:
    assert ask("x" * 4000).usage.input_tokens >= ask("x").usage.input_tokens + 900


@pytest.mark.parametrize(
    ("content", "tool_choice", "called"),
    [
        ("Hello", None, []),
        ("Please call add", None, ["mcp__t__add"]),
        ("use the `get_weather` tool", None, ["mcp__t__get_weather"]),
        ("Call mcp__t__add, then call get_weather", None, ["mcp__t__add", "mcp__t__get_weather"]),
        ("call address", None, []),
        ("Call at least one of your tools now.", None, ["mcp__t__add"]),
        ("Call one of the tools `mcp__t__a`, `mcp__t__b` now.", None, ["mcp__t__add"]),
        ("call add", {"type": "none"}, []),
        ("Hello", {"type": "any"}, ["mcp__t__add"]),
        ("use get_weather", {"type": "any"}, ["mcp__t__get_weather"]),
        ("Hello", {"type": "tool", "name": "mcp__t__get_weather"}, ["mcp__t__get_weather"]),
    ],
)
def test_which_tools_are_called(
    content: str, tool_choice: dict[str, str] | None, called: list[str]
) -> None:
    answer = ask(content, tools=[ADD, WEATHER], tool_choice=tool_choice)
    assert [name for name, _ in calls_of(answer)] == called


def test_arguments_fit_the_schema() -> None:
    assert calls_of(ask("call add", tools=[ADD])) == [("mcp__t__add", {"a": 1})]


def test_after_a_tool_result_it_quotes_it() -> None:
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "42 degrees"}
    assert text_of(ask([result], tools=[ADD])).endswith("The tool returned: 42 degrees")


def test_structured_output_is_called_once() -> None:
    assert calls_of(ask(tools=[ADD, STRUCTURED])) == [(STRUCTURED_OUTPUT, {"n": "example"})]
    call = {"type": "tool_use", "id": "toolu_1", "name": STRUCTURED_OUTPUT, "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
    after = [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    assert calls_of(ask(tools=[STRUCTURED], messages=after)) == []


def test_a_native_output_format_is_answered_in_json() -> None:
    schema = {"type": "object", "properties": {"n": {"const": 4}}, "required": ["n"]}
    answer = ask(output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(text_of(answer)) == {"n": 4}
