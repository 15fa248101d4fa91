"""Fields without effect, nested ones among them: which are reported, which refused."""

from typing import Any

import pytest

from gateway.errors import UnsupportedParameter
from gateway.frontend.field_table import MOST_NAMED
from gateway_openai.decode.chat import decode, parse
from gateway_openai.decode.completions import decode_completion
from tests.openai.openai_support import request_body


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
