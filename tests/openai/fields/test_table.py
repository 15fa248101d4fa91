"""The tables of request fields against the installed SDK, the wire models and their own rules.

A field that a newer SDK has and the tables don't is a failure: it needs a documented behaviour.
"""

from typing import Any, get_args

import pytest
from openai.types import chat, shared_params
from openai.types import completion_create_params as text_params
from openai.types.chat import completion_create_params
from openai.types.shared_params import response_format_json_schema as json_schema

from gateway.frontend import FieldTable
from gateway_openai.fields.rows import CHAT, COMPLETIONS
from gateway_openai.wire import base as wire_base
from gateway_openai.wire import chat as wire
from gateway_openai.wire import messages as wire_messages
from gateway_openai.wire.completions import CompletionRequest

BOTH: Any = [
    (CHAT, chat.completion_create_params, wire.ChatCompletionRequest),
    (COMPLETIONS, text_params, CompletionRequest),
]


def names_of(*typed_dicts: Any) -> set[str]:
    return {name for each in typed_dicts for name in each.__annotations__}


def request_fields(params: Any) -> set[str]:
    streaming = params.CompletionCreateParamsStreaming
    return names_of(params.CompletionCreateParamsNonStreaming, streaming)


def declared(model: type[wire_base.WireModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


OF_OTHERS = {"reasoning", "thinking", "top_k"}
"""Top-level fields that OpenRouter, vLLM, LiteLLM and their clients have made common."""


@pytest.mark.parametrize(("table", "params", "model"), BOTH)
class TestRequestFields:
    def test_those_of_the_sdk_are_in_the_table(
        self, table: FieldTable, params: Any, model: Any
    ) -> None:
        assert request_fields(params) - set(table.by_name) == set()

    def test_those_of_the_table_are_in_the_sdk(
        self, table: FieldTable, params: Any, model: Any
    ) -> None:
        own = {name for name in table.by_name if "." not in name}
        assert own - request_fields(params) - OF_OTHERS == set()

    def test_those_of_the_table_are_declared(
        self, table: FieldTable, params: Any, model: Any
    ) -> None:
        own = {name for name in table.by_name if "." not in name}
        assert own == declared(model)

    def test_none_is_twice_in_the_table(self, table: FieldTable, params: Any, model: Any) -> None:
        assert len(table.by_name) == len(table.fields)

    def test_the_markdown_has_a_row_for_each(
        self, table: FieldTable, params: Any, model: Any
    ) -> None:
        lines = table.markdown().splitlines()
        assert lines[0] == "| field | behaviour | how |"
        assert len(lines) == len(table.fields) + 3
        assert "| `seed` | ignored | answers are not reproducible |" in lines


NESTED: Any = [
    ("web_search_options", [completion_create_params.WebSearchOptions], wire.WebSearchOptions),
    (
        "web_search_options.user_location",
        [completion_create_params.WebSearchOptionsUserLocation],
        wire.UserLocation,
    ),
    (
        "web_search_options.user_location.approximate",
        [completion_create_params.WebSearchOptionsUserLocationApproximate],
        wire.ApproximateLocation,
    ),
    ("stream_options", [chat.ChatCompletionStreamOptionsParam], wire_base.StreamOptions),
    ("messages", [chat.ChatCompletionSystemMessageParam], wire_messages.SystemMessage),
    ("messages", [chat.ChatCompletionDeveloperMessageParam], wire_messages.SystemMessage),
    ("messages", [chat.ChatCompletionUserMessageParam], wire_messages.UserMessage),
    ("messages", [chat.ChatCompletionAssistantMessageParam], wire_messages.AssistantMessage),
    ("messages", [chat.ChatCompletionToolMessageParam], wire_messages.ToolMessage),
    (
        "messages",
        [chat.ChatCompletionFunctionMessageParam],
        wire_messages.FunctionMessage,
    ),
    (
        "messages.function_call",
        [chat.chat_completion_assistant_message_param.FunctionCall],
        wire_messages.CalledFunction,
    ),
    (
        "messages.tool_calls",
        [chat.ChatCompletionMessageFunctionToolCallParam],
        wire_messages.AssistantToolCall,
    ),
    (
        "messages.tool_calls.function",
        [chat.chat_completion_message_function_tool_call_param.Function],
        wire_messages.CalledFunction,
    ),
    ("messages.content", [chat.ChatCompletionContentPartTextParam], wire_messages.TextPart),
    ("messages.content", [chat.ChatCompletionContentPartImageParam], wire_messages.ImagePart),
    (
        "messages.content.image_url",
        [chat.chat_completion_content_part_image_param.ImageURL],
        wire_messages.ImageURL,
    ),
    ("messages.content", [chat.chat_completion_content_part_param.File], wire_messages.FilePart),
    (
        "messages.content.file",
        [chat.chat_completion_content_part_param.FileFile],
        wire_messages.File,
    ),
    (
        "messages.content",
        [chat.ChatCompletionContentPartRefusalParam],
        wire_messages.RefusalPart,
    ),
    ("tools", [chat.ChatCompletionFunctionToolParam], wire.Tool),
    (
        "tools.function",
        [shared_params.FunctionDefinition],
        wire.FunctionDefinition,
    ),
    ("functions", [chat.completion_create_params.Function], wire.FunctionDefinition),
    (
        "function_call",
        [chat.ChatCompletionFunctionCallOptionParam],
        wire.FunctionName,
    ),
    (
        "tool_choice",
        [
            chat.ChatCompletionNamedToolChoiceParam,
            chat.ChatCompletionAllowedToolChoiceParam,
        ],
        wire.ToolChoiceObject,
    ),
    (
        "tool_choice.function",
        [chat.chat_completion_named_tool_choice_param.Function],
        wire.FunctionName,
    ),
    (
        "tool_choice.allowed_tools",
        [chat.ChatCompletionAllowedToolsParam],
        wire.AllowedTools,
    ),
    (
        "response_format",
        [
            shared_params.ResponseFormatText,
            shared_params.ResponseFormatJSONObject,
            shared_params.ResponseFormatJSONSchema,
        ],
        wire.ResponseFormat,
    ),
    ("response_format.json_schema", [json_schema.JSONSchema], wire.JSONSchemaFormat),
]
"""Objects within a request: where they stand, what the SDK calls them, and what we declare."""


@pytest.mark.parametrize(("place", "typed_dicts", "model"), NESTED)
def test_nested_fields_of_the_sdk_are_declared_or_in_the_table(
    place: str, typed_dicts: list[Any], model: type[wire_base.WireModel]
) -> None:
    unknown = names_of(*typed_dicts) - declared(model)
    assert {f"{place}.{name}" for name in unknown} - set(CHAT.by_name) == set()


def test_every_kind_of_message_and_part_is_looked_at() -> None:
    unions = (chat.ChatCompletionMessageParam, chat.ChatCompletionContentPartParam)
    kinds = {kind for union in unions for kind in get_args(union)}
    looked_at = {typed_dict for _, typed_dicts, _ in NESTED for typed_dict in typed_dicts}
    assert kinds - looked_at == {chat.ChatCompletionContentPartInputAudioParam}  # it is refused


EXTENSIONS = {
    "messages.cache_control",
    "messages.content.cache_control",
    "tools.cache_control",
    "messages.annotations",
    "messages.web_searches",
    "messages.reasoning_content",
    "messages.reasoning",
    "messages.content.thinking",
    "messages.content.redacted_thinking",
    "messages.content.reasoning",
    "messages.parsed",
    "messages.tool_calls.index",
    "messages.tool_calls.function.parsed_arguments",
}
"""Rows for what the SDK has in no request: other gateways' fields, and those of answers."""


def test_nested_rows_are_in_the_sdk_or_known_extensions() -> None:
    in_sdk = {
        f"{place}.{name}" for place, typed_dicts, _ in NESTED for name in names_of(*typed_dicts)
    }
    nested = {name for name in CHAT.by_name if "." in name}
    assert nested - in_sdk == EXTENSIONS
