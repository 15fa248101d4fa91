"""Fields without effect, nested ones among them: which are reported, which refused."""

from typing import Any

import pytest

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway_openai_responses.decode.request import decode, parse
from gateway_openai_responses.fields.rows import RESPONSES
from gateway_openai_responses.wire.request import ENCRYPTED
from tests.openai_responses.responses_support import request_body


def ignored(**fields: object) -> tuple[str, ...]:
    return decode(parse(request_body(**fields))).ignored


def parts(*items: object) -> dict[str, object]:
    return {"input": [{"role": "user", "content": list(items)}]}


TOOL = {"type": "function", "name": "f"}
PICTURE = {"type": "input_image", "image_url": "https://example.com/a.png"}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"truncation": "auto"}, ("truncation",)),
        ({"prompt_cache_key": "k"}, ("prompt_cache_key",)),
        ({"service_tier": "flex"}, ("service_tier",)),
        ({"user": "me"}, ("user",)),
        ({"client_metadata": {"a": "b"}}, ("client_metadata",)),
        ({"nobody_knows_this": 1}, ("nobody_knows_this",)),
        ({"text": {"verbosity": "low"}}, ("text.verbosity",)),
        ({"reasoning": {"context": "all_turns"}}, ("reasoning.context",)),
        (
            {"stream_options": {"include_obfuscation": True}},
            ("stream_options.include_obfuscation",),
        ),
        ({"include": ["message.output_text.logprobs"]}, ("include",)),
        ({"tools": [{**TOOL, "defer_loading": True}]}, ("tools.defer_loading",)),
        ({"tools": [{**TOOL, "async": True}]}, ("tools.async",)),
        (parts({**PICTURE, "detail": "high"}), ("input.content.detail",)),
        (
            parts({"type": "input_text", "text": "a", "prompt_cache_breakpoint": {}}),
            ("input.content.prompt_cache_breakpoint",),
        ),
        (parts({"type": "input_text", "text": "a", "font": "serif"}), ("input.content.font",)),
    ],
)
def test_a_field_without_effect_is_reported(
    fields: dict[str, object], names: tuple[str, ...]
) -> None:
    assert ignored(**fields) == names


@pytest.mark.parametrize(
    "fields",
    [
        {"truncation": "disabled", "background": False, "service_tier": "auto"},
        {"text": {"verbosity": "medium", "format": {"type": "text"}}},
        {"include": [ENCRYPTED], "store": False, "metadata": {"a": "b"}},
        {"reasoning": {"effort": "low", "summary": "auto", "context": "auto"}},
        {"temperature": 1, "top_p": 0.5, "max_output_tokens": 10, "top_logprobs": 0},
        {"conversation": None, "prompt": None},
        parts({**PICTURE, "detail": "auto"}),
        {
            "input": [
                {"role": "user", "content": "a"},
                {
                    "id": "msg_1",
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "phase": "final_answer",
                    "content": [
                        {"type": "output_text", "text": "b", "annotations": [1], "logprobs": [1]}
                    ],
                },
                {
                    "id": "fc_1",
                    "type": "function_call",
                    "call_id": "c",
                    "name": "f",
                    "arguments": "{}",
                    "status": "completed",
                    "async": False,
                    "caller": {"type": "direct"},
                    "parsed_arguments": {},
                },
                {
                    "type": "function_call_output",
                    "call_id": "c",
                    "output": "x",
                    "status": "completed",
                },
            ]
        },
    ],
)
def test_what_asks_for_nothing_or_is_honoured_is_not_reported(fields: dict[str, object]) -> None:
    assert ignored(**fields) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("background", True),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("prompt", {"id": "pmpt_1"}),
    ],
)
def test_what_can_t_be_done_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        ignored(**{name: value})
    assert caught.value.param == name


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"include": ["everything"]}, "include[0]"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        ({"truncation": "always"}, "truncation"),
        ({"text": {"format": {"type": "yaml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name"),
        ({"input": 1}, "input"),
        ({"model": None}, "model"),
    ],
)
def test_a_wrong_value_is_refused(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ignored(**fields)
    assert caught.value.param == param


def test_earlier_reasoning_is_never_a_reason_to_refuse() -> None:
    assert RESPONSES.refusable(("input.reasoning", "truncation")) == ("truncation",)
