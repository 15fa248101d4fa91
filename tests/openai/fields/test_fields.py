"""The tables of request fields against the installed SDK, the wire models and their own rules.

A field that a newer SDK has and the tables don't is a failure: it needs a documented behaviour.
"""

from typing import Any, get_args

import pytest
from openai.types import chat, shared_params
from openai.types import completion_create_params as text_params
from openai.types.shared_params import response_format_json_schema as json_schema

from gateway.errors import UnsupportedParameter
from gateway.frontend.field_table import MOST_NAMED, FieldTable
from gateway_openai.decode.chat import decode, parse
from gateway_openai.decode.completions import decode_completion
from gateway_openai.fields.rows import CHAT, COMPLETIONS
from gateway_openai.wire import base as wire_base
from gateway_openai.wire import chat as wire
from gateway_openai.wire import messages as wire_messages
from gateway_openai.wire.completions import CompletionRequest
from tests.openai.openai_support import request_body

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


# -- what is reported ---------------------------------------------------------------------


def ignored(**fields: object) -> tuple[str, ...]:
    return decode(parse(request_body(**fields))).ignored


def ignored_text(**fields: object) -> tuple[str, ...]:
    return decode_completion({"model": "m", "prompt": "Once", **fields}).ignored


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 7),
        ("seed", 0),
        ("logit_bias", {"50256": -100}),
        ("frequency_penalty", 0.5),
        ("presence_penalty", -1),
        ("user", "someone"),
        ("nobody_knows_this", 0),
    ],
)
def test_a_field_without_effect_is_reported_by_both(name: str, value: object) -> None:
    assert ignored(**{name: value}) == (name,)
    assert ignored_text(**{name: value}) == (name,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logprobs", True),
        ("top_logprobs", 3),
        ("verbosity", "low"),
        ("prediction", {"type": "content", "content": "x"}),
        ("web_search_options", {}),
        ("moderation", {"model": "m"}),
        ("metadata", {"a": "b"}),
        ("store", True),
        ("service_tier", "flex"),
        ("safety_identifier", "s"),
        ("prompt_cache_key", "k"),
        ("prompt_cache_options", {"mode": "explicit"}),
        ("prompt_cache_retention", "24h"),
        ("audio", {"voice": "v", "format": "mp3"}),
    ],
)
def test_a_field_without_effect_is_reported(name: str, value: object) -> None:
    assert ignored(**{name: value}) == (name,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", None),
        ("n", 1),
        ("logprobs", False),
        ("frequency_penalty", 0),
        ("presence_penalty", 0.0),
        ("store", False),
        ("verbosity", "medium"),
        ("service_tier", "auto"),
        ("metadata", {}),
        ("logit_bias", {}),
        ("nobody_knows_this", None),
        ("modalities", ["text"]),
        ("temperature", 0),
        ("stream_options", {"include_obfuscation": False, "include_usage": True}),
    ],
)
def test_what_asks_for_nothing_or_is_honoured_is_not_reported(name: str, value: object) -> None:
    assert ignored(**{name: value}) == ()


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"logprobs": 0}, ("logprobs",)),
        ({"best_of": 3}, ("best_of",)),
        ({"best_of": 3, "n": 2}, ("best_of",)),
        ({"best_of": 2, "n": 2}, ()),
        ({"best_of": 1}, ()),
        ({"suffix": "", "echo": False, "logprobs": None}, ()),
        ({"verbosity": "low"}, ("verbosity",)),
        (
            {"stream_options": {"include_obfuscation": True}},
            ("stream_options.include_obfuscation",),
        ),
    ],
)
def test_what_text_completions_report(fields: dict[str, object], names: tuple[str, ...]) -> None:
    assert ignored_text(**fields) == names


def parts(*items: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": list(items)}]}


def turns(*items: object) -> dict[str, object]:
    return {"messages": [*items, {"role": "user", "content": "Go on."}]}


URL = "https://example.com/a.png"
BREAKPOINT = {"mode": "explicit"}
TOOL = {"type": "function", "function": {"name": "f"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (
            parts({"type": "text", "text": "x", "prompt_cache_breakpoint": BREAKPOINT}),
            "messages.content.prompt_cache_breakpoint",
        ),
        (
            parts({"type": "image_url", "image_url": URL, "prompt_cache_breakpoint": BREAKPOINT}),
            "messages.content.prompt_cache_breakpoint",
        ),
        (
            parts(
                {
                    "type": "file",
                    "file": {"file_data": "data:text/plain,x"},
                    "prompt_cache_breakpoint": BREAKPOINT,
                }
            ),
            "messages.content.prompt_cache_breakpoint",
        ),
        (
            parts({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}),
            "messages.content.cache_control",
        ),
        (
            parts({"type": "image_url", "image_url": {"url": URL, "detail": "high"}}),
            "messages.content.image_url.detail",
        ),
        (
            turns({"role": "user", "content": "x", "cache_control": {"type": "ephemeral"}}),
            "messages.cache_control",
        ),
        ({"tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}]}, "tools.cache_control"),
        (turns({"role": "assistant", "content": "x", "audio": {"id": "a"}}), "messages.audio"),
        (turns({"role": "system", "content": "x", "name": "Ada"}), "messages.name"),
        (turns({"role": "user", "content": "x", "mood": "fine"}), "messages.mood"),
        (parts({"type": "text", "text": "x", "font": "serif"}), "messages.content.font"),
        ({"tools": [{"type": "function", "function": {"name": "f", "x": 1}}]}, "tools.function.x"),
        ({"stream_options": {"pace": 1}}, "stream_options.pace"),
        ({"response_format": {"type": "text", "x": 1}}, "response_format.x"),
        (
            turns(
                {"role": "assistant", "tool_calls": [{**CALL, "extra_content": 1}]},
                {"role": "tool", "tool_call_id": "c1", "content": "x"},
            ),
            "messages.tool_calls.extra_content",
        ),
        *(
            (turns({"role": "assistant", "content": "x", name: "hm"}), f"messages.{name}")
            for name in ("reasoning_content", "reasoning")
        ),
        *(
            (
                turns({"role": "assistant", "content": [{"type": kind}]}),
                f"messages.content.{kind}",
            )
            for kind in ("thinking", "redacted_thinking", "reasoning")
        ),
    ],
)
def test_a_nested_field_without_effect_is_reported(fields: dict[str, object], name: str) -> None:
    assert ignored(**fields) == (name,)


def test_a_name_is_reported_once() -> None:
    speaker = {"role": "user", "content": "x", "name": "Ada"}
    assert ignored(**turns(speaker, speaker)) == ("messages.name",)


@pytest.mark.parametrize(
    "fields",
    [
        turns(
            {
                "role": "assistant",
                "content": "x",
                "refusal": None,
                "annotations": [],
                "reasoning_content": "",
                "reasoning": None,
                "parsed": {"a": 1},
                "audio": None,
            }
        ),
        turns(
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        **CALL,
                        "index": 0,
                        "function": {"name": "f", "arguments": "{}", "parsed_arguments": {}},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "x"},
        ),
        turns(
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "x"},
        ),
        parts({"type": "image_url", "image_url": {"url": URL, "detail": "auto"}}),
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"x-own": 1}}}]},
    ],
)
def test_what_clients_send_back_or_schemas_hold_is_not_reported(fields: dict[str, object]) -> None:
    assert ignored(**fields) == ()


@pytest.mark.parametrize(
    ("decode_it", "fields"),
    [
        (ignored, {"modalities": ["text", "audio"]}),
        (ignored_text, {"suffix": "The end."}),
    ],
)
def test_what_can_t_be_done_is_refused(decode_it: Any, fields: dict[str, object]) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        decode_it(**fields)
    assert [caught.value.param] == list(fields)
    assert caught.value.code == "unsupported_parameter"


def test_of_very_many_fields_the_first_are_named() -> None:
    names = tuple(f"f{number}" for number in range(MOST_NAMED + 10))
    assert ignored(**dict.fromkeys(names, 1)) == names[:MOST_NAMED]
